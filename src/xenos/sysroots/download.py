"""Fetching files over HTTP: several at once, gone on with where they broke off, kept only when their hash is right."""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xenos.errors import SysrootError

_BLOCK = 1 << 16
_TIMEOUT = 30       # seconds without a byte
_TRIES = 4
_AT_ONCE = 4
_AGENT = "xenos-sysroot"
_SCHEMES = ("http://", "https://", "file:///")

Advance = Callable[[int], object]   # called with how many bytes more there are now


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: where from, where to, its size in bytes and its SHA-256 in hexadecimal digits."""

    url: str
    path: str
    size: int
    sha256: str


class _Broken(Exception):
    """One try failed; another may not."""


def check_url(url: str) -> str:
    """The URL of a mirror without a slash at its end, if it is one that can be read."""
    if not url.startswith(_SCHEMES):
        raise SysrootError(f"{url}: a mirror is a URL that begins with http://, https:// or file:///")
    return url.rstrip("/")


def read(url: str, limit: int = 64 << 20) -> bytes | None:
    """The content of a small file, or None if the server says that it has none of that name."""
    for last in range(_TRIES):
        try:
            with urllib.request.urlopen(_request(url), timeout=_TIMEOUT) as answer:
                content: bytes = answer.read(limit + 1)
            if len(content) > limit:
                raise SysrootError(f"{url}: more than {limit >> 20} MiB, which cannot be right")
            return content
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                return None
            problem = f"the server says {error.code} {error.reason}"
            if error.code < 500:
                break
        except (OSError, http.client.HTTPException) as error:
            if _is_missing(error):
                return None
            problem = _reason(error)
        if last + 1 < _TRIES:
            time.sleep(last)
    raise SysrootError(f"{url}: {problem}")


def fetch_all(files: Iterable[Wanted], advance: Advance) -> None:
    """Fetch what is not there yet. What was fetched of a file before an interruption is kept, and used the next time."""
    stop = threading.Event()
    todo = deque(files)
    problems: list[BaseException] = []

    def work() -> None:
        try:
            while todo and not stop.is_set():
                fetch(todo.popleft(), advance, stop)
        except IndexError:
            pass    # another one took the last
        except BaseException as problem:
            problems.append(problem)
            stop.set()

    # Daemons: a server that does not go on must not keep a user waiting who has pressed Ctrl-C.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(todo)))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive() and not stop.is_set():
                thread.join(0.2)
    finally:
        stop.set()      # a thread ends at its next block
        for thread in threads:
            thread.join(0.2)
    if problems:
        raise problems[0]


def fetch(file: Wanted, advance: Advance, stop: threading.Event) -> None:
    """Fetch one file; SysrootError if it cannot be had whole and right."""
    if not file.size or len(file.sha256) != 64:
        raise SysrootError(f"{file.url}: the archive gives no size and SHA-256 for it")
    if os.path.exists(file.path) and os.path.getsize(file.path) == file.size:
        advance(file.size)      # its hash is looked at when it is unpacked
        return
    part = file.path + ".part"
    problem = ""
    for attempt in range(_TRIES):
        if stop.is_set():
            return
        try:
            _more(file, part, advance, stop)
            if stop.is_set():
                return
            if sha256(part) == file.sha256:
                os.replace(part, file.path)
                return
            problem = "its SHA-256 is not what the signed list of packages says"
        except _Broken as broken:
            problem = str(broken)
            time.sleep(attempt)
            continue
        advance(-os.path.getsize(part))
        os.unlink(part)     # wrong bytes: all of it again, once more
        if attempt:
            break
    raise SysrootError(f"{file.url}: {problem}")


def _more(file: Wanted, part: str, advance: Advance, stop: threading.Event) -> None:
    """Append to `part` what it lacks."""
    with open(part, "ab") as out:
        have = out.tell()
        if have > file.size:
            out.truncate(0)
            have = 0
        counted = have
        advance(have)
        try:
            if have == file.size:
                return
            with urllib.request.urlopen(_request(file.url, have), timeout=_TIMEOUT) as answer:
                if have and getattr(answer, "status", None) != 206:     # it does not know ranges
                    out.truncate(0)
                    advance(-have)
                    have = counted = 0
                while not stop.is_set() and (block := answer.read(_BLOCK)):
                    out.write(block)
                    advance(len(block))
                    counted += len(block)
                    if counted > file.size:
                        out.truncate(0)
                        raise _Broken("it is longer than the list of packages says")
        except urllib.error.HTTPError as error:
            advance(-counted)
            if error.code == 416:   # what we have is of another file
                out.truncate(0)
            elif error.code < 500:
                raise SysrootError(f"{file.url}: the server says {error.code} {error.reason}; "
                                   "if the mirror is being updated, try again later") from None
            raise _Broken(f"the server says {error.code} {error.reason}") from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            advance(-counted)
            if _is_missing(error):
                raise SysrootError(f"{file.url}: no such file") from None
            raise _Broken(_reason(error)) from None
        if counted < file.size and not stop.is_set():
            advance(-counted)
            raise _Broken(f"the connection ended after {counted} of {file.size} bytes")


def sha256(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _request(url: str, start: int = 0) -> urllib.request.Request:
    headers = {"User-Agent": _AGENT}
    if start:
        headers["Range"] = f"bytes={start}-"
    return urllib.request.Request(url, headers=headers)


def _is_missing(error: BaseException) -> bool:
    reason = getattr(error, "reason", error)
    return isinstance(reason, FileNotFoundError) or "No such file" in str(reason)


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
