"""What attempts to escape are made in: folders open and closed, an outsider, servers, and the program that attempts."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from cli.kit import ROOT, command, environment

CROSS = "riscv64-linux-gnu-gcc"
SOURCES = Path(__file__).parent / "escapes"
SECRET = "the secret word\n"
NOBODY = 65534
SPARE = ("spare", "spare2", "spare3", "spare4", "spare5")


def build(folder: Path) -> Path:
    """The program that attempts, compiled for the guest."""
    program = folder / "escapes"
    subprocess.run([CROSS, "-static", "-pthread", "-O1", "-w", *sorted(SOURCES.glob("*.c")), "-o", program], check=True)
    return program


class World:
    """Folders below `base`: `open` may be read and written, `ro` read, `closed` neither. `user` is who the guest runs as."""

    def __init__(self, base: Path, program: Path, user: int, stack: ExitStack) -> None:
        self.base = base
        self.user = user
        self.open, self.ro, self.closed = (base / name for name in ("open", "ro", "closed"))
        self.cache = _cache(base.parent, user)
        self._fill()
        self.program = base / "escapes"
        shutil.copy(program, self.program)
        self.outsider = subprocess.Popen(["sleep", "1000"], start_new_session=True, user=user, group=user,
                                         extra_groups=[], cwd=self.closed)
        stack.callback(self.outsider.wait)
        stack.callback(self.outsider.kill)
        self.port = self._serve(stack)
        self.directory = os.open(self.closed, os.O_RDONLY | os.O_DIRECTORY)
        self.file = os.open(self.ro / "file", os.O_RDONLY)
        stack.callback(os.close, self.directory)
        stack.callback(os.close, self.file)
        for folder, folders, files in os.walk(base):
            for name in (*folders, *files):
                os.chown(os.path.join(folder, name), user, -1, follow_symlinks=False)
        os.chown(base, user, -1)
        base.chmod(0o755)

    def _fill(self) -> None:
        for folder in (self.open, self.open / "nested", self.ro, self.closed, self.closed / "folder"):
            folder.mkdir()
        (self.closed / "secret").write_text(SECRET)
        for name in SPARE:
            (self.closed / name).write_text("spare")
        for name in ("file", "short", "one", "two", "three", "mode"):
            (self.ro / name).write_text("only to be read")
        (self.ro / "link").symlink_to(self.closed / "secret")
        (self.open / "nested" / "file").write_text("only to be read")

    def _serve(self, stack: ExitStack) -> int:
        """Listen where the guest may not go, and pass descriptors where it may; the port of TCP and UDP on loopback."""
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port: int = tcp.getsockname()[1]
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", port))
        for name in (str(self.closed / "socket"), f"\0xenos-outside-{port}"):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(name)
            server.listen(10)
        stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(str(self.closed / "datagrams"))
        passer = stack.enter_context(socket.socket(socket.AF_UNIX))
        passer.bind(str(self.open / "passer"))
        passer.listen(10)
        threading.Thread(target=self._pass, args=(passer,), daemon=True).start()
        stack.callback(passer.shutdown, socket.SHUT_RDWR)
        return port

    def _pass(self, passer: socket.socket) -> None:
        while True:
            try:
                peer, _ = passer.accept()
            except OSError:
                return
            with peer:
                found = [os.open(self.closed, os.O_RDONLY), os.open(self.closed / "secret", os.O_RDONLY)]
                try:
                    socket.send_fds(peer, [b"x"], found)
                except OSError:     # whoever asked has gone
                    pass
                for fd in found:
                    os.close(fd)

    def words(self, *groups: str) -> list[str]:
        """The command line of the program."""
        words = (self.program, self.open, self.ro, self.closed, self.outsider.pid, self.port, self.directory, self.file)
        return [*map(str, words), *groups]

    def attempt(self, options: list[str], *groups: str) -> dict[str, str]:
        """Let the guest attempt; what came of each attempt, by its name."""
        return self.run(command("run", *options, *self.words(*groups)))

    def run(self, words: list[str]) -> dict[str, str]:
        """Start a command as the user; what its attempts say came of them."""
        done = subprocess.run(
            [interpreter(self.user), *words[1:]], env=self.environment(),
            capture_output=True, text=True, timeout=300, user=self.user, group=self.user, extra_groups=[],
            pass_fds=(self.directory, self.file), stdin=subprocess.DEVNULL, cwd=self.base, preexec_fn=_not_at_random,
        )
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        assert not done.stderr, done.stderr
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())

    def environment(self) -> dict[str, str]:
        """That of the guest's Xenos: a cache of its own with our packs, and the same LLVM there by name."""
        for folder in sys.path:
            for entry in Path(folder or ".").glob("llvmlite-*.dist-info"):
                (self.base / "llvm" / entry.name).mkdir(parents=True, exist_ok=True)
        return environment(XENOS_CACHE=str(self.cache), PYTHONPATH=f"{ROOT / 'src'}:{self.base / 'llvm'}")

    @property
    def closing(self) -> list[str]:
        """The options that open what may be opened."""
        return [f"--ro={self.ro}", f"--rw={self.open}", f"--ro={self.open}/nested"]


@cache
def _cache(parent: Path, user: int) -> Path:
    """A cache for that user, with the packs of our own: they take seconds to make, and are only taken from their owner."""
    folder = parent / f"cache-{user}"
    folder.mkdir()
    packs = Path(os.environ.get("XENOS_CACHE") or Path.home() / ".cache" / "xenos") / "packs"
    if user == os.geteuid():
        (folder / "packs").symlink_to(packs)
    elif packs.is_dir():
        shutil.copytree(packs, folder / "packs", ignore=shutil.ignore_patterns("*.*"))     # those are being written
        for path in (folder, folder / "packs", *(folder / "packs").iterdir()):
            os.chown(path, user, user)
    return folder


@contextmanager
def world(base: Path, program: Path, user: int) -> Iterator[World]:
    """A world of its own for one run, in a new folder."""
    with ExitStack() as stack:
        yield World(base, program, user, stack)


@cache
def _not_at_random() -> None:
    """Debian's Python may have its heap where guest memory must be; the command line starts anew then, other programs do not."""
    ctypes.CDLL(None).personality(0x0004_0000)      # ADDR_NO_RANDOMIZE, personality(2)


def interpreter(user: int) -> str:
    """A Python of this version that the user may run; nothing if there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        code = "import sys, xenos.cli.run; print(sys.implementation.cache_tag)"
        try:
            done = subprocess.run([python, "-c", code], env=environment(), user=user, extra_groups=[],
                                  capture_output=True, text=True)
        except OSError:
            continue
        if done.stdout.strip() == sys.implementation.cache_tag:
            return python
    return ""


def why_not(user: int) -> str:
    """Why attempts cannot be made as that user here; empty if they can."""
    if not shutil.which(CROSS):
        return f"needs {CROSS}"
    if os.geteuid() != 0:
        return "" if user == os.geteuid() else "needs root, to become another user"
    return "" if interpreter(user) else "another user cannot read this source tree or this Python"
