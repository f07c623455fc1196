"""What a user sees of work that takes long: one line on a terminal that is written over, and nothing in a pipe."""

from __future__ import annotations

import shutil
import sys
import threading
import time

_INTERVAL = 0.1     # seconds between two looks of the line


class Progress:
    """The line. Threads may call `advance` at once."""

    def __init__(self) -> None:
        self.shown = bool(sys.stderr) and sys.stderr.isatty()
        self._lock = threading.Lock()
        self._text = ""
        self._done = self._total = 0
        self._last = 0.0

    def stage(self, text: str, total: int = 0) -> None:
        """Something else begins, of `total` bytes if that is known."""
        with self._lock:
            self._text, self._done, self._total, self._last = text, 0, total, 0.0
        self.advance(0)

    def advance(self, amount: int) -> None:
        """That many bytes more are done."""
        with self._lock:
            self._done += amount
            now = time.monotonic()
            if not self.shown or now - self._last < _INTERVAL:
                return
            self._last = now
            line = f"xenos: {self._text}"
            if self._total:
                line += f": {self._done >> 20} of {-(-self._total >> 20)} MiB, {self._done * 100 // self._total}%"
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{line[:width]}\x1b[K")
            sys.stderr.flush()

    def finish(self) -> None:
        """Take the line away."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
