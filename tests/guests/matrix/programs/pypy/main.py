"""What PyPy's compiler makes of hot loops, and threads beside it."""

import threading

state, total = 1, 0
for _ in range(3_000_000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    total += state % 1000
print("loop", state, total)
print("floats", f"{sum(((i * 0.5) % 7.3) ** 0.5 for i in range(500_000)):.6f}")
counts, lock = [0], threading.Lock()


def run() -> None:
    for _ in range(20_000):
        with lock:
            counts[0] += 1


threads = [threading.Thread(target=run) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads", counts[0])
print("big", pow(3, 5000) % 1_000_000_007)
