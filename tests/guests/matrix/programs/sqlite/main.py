"""Four threads that write into one database, each with a connection of its own, and a process that reads beside them."""

import multiprocessing
import sqlite3
import threading


def write(number: int) -> None:
    connection = sqlite3.connect("shared.db", timeout=120, isolation_level=None)
    for i in range(100):
        connection.execute("begin immediate")
        connection.executemany("insert into rows values (?, ?)", [(number, i * 10 + k) for k in range(10)])
        connection.execute("commit")
    connection.close()


def read(answers: "multiprocessing.Queue[int]") -> None:
    connection = sqlite3.connect("shared.db", timeout=120)
    wrong = 0
    for _ in range(50):
        (count,) = connection.execute("select count(*) from rows").fetchone()
        wrong += count % 10 != 0    # half a transaction
    answers.put(wrong)


if __name__ == "__main__":
    first = sqlite3.connect("shared.db")
    first.execute("pragma journal_mode = wal")
    first.execute("create table rows (thread, value)")
    first.close()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    reader = context.Process(target=read, args=(answers,))
    reader.start()
    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("half transactions seen:", answers.get())
    reader.join()
    memory = sqlite3.connect(":memory:")
    print(memory.execute("with recursive c(n) as (select 1 union all select n + 1 from c where n < 200000)"
                         " select sum(n * n % 17) from c").fetchone()[0])
