"""A shell on a terminal, driven as by a user: background and foreground jobs, stop and go on, interrupt, hang-up."""

import os
import pty
import re
import select
import signal
import sys
import time

child, terminal = pty.fork()
if child == 0:
    os.environ["PS1"] = "> "
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
seen = b""


def until(pattern: str, seconds: float = 60) -> str:
    """Read until the pattern has come; what it matched."""
    global seen
    end = time.monotonic() + seconds
    while not (match := re.search(pattern.encode(), seen)):
        ready, _, _ = select.select([terminal], [], [], end - time.monotonic())
        if not ready:
            sys.exit(f"no {pattern} in {seen!r}")
        seen += os.read(terminal, 4096)
    seen = seen[match.end() :]
    return match[0].decode()


def type_in(text: str) -> None:
    os.write(terminal, text.encode())


until("> ")
type_in("bind 'set enable-bracketed-paste off'; stty -echo; tty | cut -c1-8\r")
print(until("/dev/pts"))
until("> ")
type_in("sleep 100 & sleep 200 & jobs | wc -l\r")
print(until(r"\n2\r").strip(), "jobs")
until("> ")
type_in("kill %1; wait %1; echo status $?\r")
print(until(r"status \d+"))
until("> ")
type_in("cat\r")
time.sleep(0.5)
type_in("echoed\r")
print(until("echoed"))
type_in("\x1a")
print(until("Stopped"))
until("> ")
type_in("fg\r")
until("cat\r\n")
time.sleep(0.5)
type_in("\x03")
until("> ")
type_in("echo status $?\r")
print(until(r"status \d+"))
until("> ")
type_in("fg %2\r")
until("sleep 200\r\n")
time.sleep(0.5)
type_in("\x1c")
until("> ")
type_in("echo status $?\r")
print(until(r"status \d+"))
until("> ")
type_in("trap 'echo hung up; exit 9' USR1; echo ready\r")
until("ready")
until("> ")
os.kill(child, signal.SIGUSR1)  # SIGHUP may also be the end of bash's input, natively too
type_in("\r")
print(until("hung up"))
_, status = os.waitpid(child, 0)
print("ended", os.waitstatus_to_exitcode(status))
