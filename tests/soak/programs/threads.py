"""Threads, locks, queues, timers, subprocesses and signals of a guest's Python; prints always the same."""

import concurrent.futures
import os
import queue
import signal
import subprocess
import sys
import threading
import time

sys.setswitchinterval(1e-5)
total = 0
lock = threading.Lock()


def adds() -> None:
    global total
    for _ in range(300):
        with lock:
            total += 1


def passes(source: "queue.Queue[int]", target: "queue.Queue[int]") -> None:
    while (item := source.get()) >= 0:
        target.put(item + 1)
    target.put(-1)


threads = [threading.Thread(target=adds) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("locked", total)

ring: "list[queue.Queue[int]]" = [queue.Queue() for _ in range(4)]
links = [threading.Thread(target=passes, args=(ring[n], ring[n + 1])) for n in range(3)]
for thread in links:
    thread.start()
for number in (*range(60), -1):
    ring[0].put(number)
received = []
while (value := ring[3].get()) >= 0:
    received.append(value)
print("passed", sum(received), received == list(range(3, 63)))

with concurrent.futures.ThreadPoolExecutor(5) as pool:
    print("pool", sum(pool.map(lambda n: n * n, range(100))))

event, ticks = threading.Event(), []
timer = threading.Timer(0.01, event.set)
timer.start()
print("event", event.wait(10))

signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
condition = threading.Condition()
while len(ticks) < 5:
    with condition:
        condition.wait(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
print("ticks", len(ticks) >= 5)

barrier = threading.Barrier(4)
met = []


def meets() -> None:
    for _ in range(20):
        barrier.wait()
    met.append(1)


threads = [threading.Thread(target=meets) for _ in range(4)]
for thread in threads:
    thread.start()
child = os.fork()
if not child:
    os._exit(7)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
for thread in threads:
    thread.join()
print("met", len(met))
shown = [subprocess.run([sys.executable, "-S", "-I", "-c", f"print({n})"], capture_output=True, text=True).stdout for n in range(2)]
print("children", shown)
daemon = threading.Thread(target=time.sleep, args=(1000,), daemon=True)
daemon.start()
print("end")
