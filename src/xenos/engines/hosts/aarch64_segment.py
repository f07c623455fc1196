"""Translated code on an AArch64 host: branches are patched in their words, the instruction cache is told of it."""

from __future__ import annotations

from xenos.engines.code.segment import Segment
from xenos.engines.hosts.aarch64_instructions import aimed


class AArch64Segment(Segment):
    """A segment whose sites are the words of branches, conditional or not."""

    LARGEST = 1 << 27      # the reach of B
    plain = False
    _published = 0             # what lies from here on was written since `publish`

    def append(self, code: bytes) -> int:
        """Put code behind what is there; it may be run after `publish`."""
        start = super().append(code)
        if start >= 0:
            self._published = min(self._published, start)
        return start

    def patch(self, site: int, target: int) -> None:
        """Let the branch at `site` go to `target`, at once if it may be running, which the host allows (Arm ARM, B2.2.5)."""
        running = site < self._published
        if running:
            self.publish()     # what it is to go to
        word = int.from_bytes(self.view[site:site + 4], "little")
        self.view[site:site + 4] = aimed(word, target - site).to_bytes(4, "little")
        if running:
            self._flush(site, site + 4)

    def publish(self) -> None:
        """What was appended and patched is going to be run."""
        self._flush(self._published, self.used)
        self._published = self.used

    def restore(self, body: memoryview) -> bool:
        """Take up what `pack` gave."""
        taken = super().restore(body)
        if taken:
            self._published = 0
            self.publish()
        return taken

    def clear(self, constants: bytes) -> None:
        """Begin anew."""
        super().clear(constants)
        self._published = 0

    def _flush(self, start: int, end: int) -> None:
        if self.arena.flush is not None and end > start:
            self.arena.flush(self.base + start, self.base + end)
