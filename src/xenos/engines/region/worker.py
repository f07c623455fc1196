"""A worker: a process that compiles regions for the one that started it, until that closes its end of the pipe.

Requests and answers are marshalled, each with its length before it. LLVM ends its process where it meets what it cannot do: that
is why this is one of its own.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
import time
from typing import Any, Protocol

REQUEST, ANSWER = 0, 1      # descriptors


def main() -> None:
    """Answer requests. The arguments are the guest's name, the host's level, and the size of a page of guest code."""
    name, level = sys.argv[1], int(sys.argv[2])
    gc.disable()        # what is imported stays: to look it through again and again takes 10 ms
    from xenos.engines.region import bounds
    from xenos.engines.region.maker import Maker

    maker = Maker(name, level)
    gc.freeze()
    gc.enable()
    bounds.let_go("libllvm")
    bounds.limit()
    began = started = time.process_time()
    while True:
        request = receive(REQUEST)
        if request is None:
            return
        answer = work(maker, request)
        now = time.process_time()
        answer |= {"cpu": now - began, "start": started, "memory": bounds.own()}
        began, started = now, 0.0
        send(ANSWER, answer)


def work(maker: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Compile one region; what is wrong with it is told as `error`, pages of code that would be needed as `pages`."""
    from xenos.engines.region.profile import Profile
    from xenos.errors import EngineError

    source = Source(maker, request["pages"], request["page"], request["low"], request["high"])
    answer: dict[str, Any] = {"header": request["header"], "job": request["job"]}
    try:
        profile = Profile()
        maker.learn(profile, source.fetch, request["steps"], request["after"])
        source.missing.clear()      # they were seen, which does not make them part of this
        graph = maker.graph(request["header"], source.fetch, profile, request["most"], request["whole"])
        if source.missing:
            return answer | {"pages": sorted(source.missing)}
        if not graph.nodes:
            return answer | {"error": "nothing there can be compiled"}
        along = request["along"]
        if along is not None and all(place[0] != along for place in graph.nodes):
            return answer | {"error": "what is new of its ways is too much for it"}
        stay = graph.stay(request["stay"])
        if stay < request["stay"]:
            return answer | {"error": f"left after {stay:.0f} instructions"}
        made = maker.make(graph, request["speed"], request["exact"])
    except EngineError as error:
        return answer | {"error": str(error)}
    return answer | {"body": made.body, "low": made.low, "high": made.high, "size": made.size, "exact": request["exact"],
                     "places": sorted({place[0] for place in graph.nodes})}


class Pages(Protocol):
    """Pages by number; None for one that cannot be had."""

    def get(self, number: int, default: bytes, /) -> bytes | None:
        """The page, or `default` if it is not here."""


class Source:
    """Pages of guest code in [`low`, `high`) that came with a request. `missing` are those that were asked for and did not."""

    def __init__(self, maker: Any, pages: Pages, size: int, low: int, high: int) -> None:
        self._pages = pages
        self._size = size
        self._low = low
        self._high = high
        self._long = maker.is_long
        self.missing: set[int] = set()

    def _half(self, at: int) -> int | None:
        if not self._low <= at < self._high:
            return None
        number = at // self._size
        page = self._pages.get(number, b"")
        if not page:
            if page is not None:
                self.missing.add(number)
            return None
        offset = at % self._size
        return page[offset] | page[offset + 1] << 8

    def fetch(self, pc: int) -> tuple[int, int] | None:
        """The word at an address and its length; None where nothing is known, or nothing is."""
        low = self._half(pc)
        if low is None:
            return None
        if not self._long(low):
            return low, 2
        high = self._half(pc + 2)
        return None if high is None else (low | high << 16, 4)


def receive(fd: int) -> Any:
    """The next message; None at the end."""
    head = _read(fd, 8)
    body = _read(fd, int.from_bytes(head, "little")) if head else b""
    return marshal.loads(body) if body else None


def send(fd: int, message: Any) -> None:
    """Write a message."""
    body = marshal.dumps(message)
    view = memoryview(len(body).to_bytes(8, "little") + body)
    while view:
        view = view[os.write(fd, view):]


def _read(fd: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(fd, size)
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        pass
