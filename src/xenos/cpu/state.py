"""The state of one guest CPU (one hardware thread), in the block that generated code works on."""

from __future__ import annotations

import ctypes

from xenos.cpu import layout as at
from xenos.cpu.layout import BLOCK_SIZE, CONTROL_SIZE, Layout

_WORDS_BELOW = CONTROL_SIZE // 8
_MASK64 = (1 << 64) - 1
# An odd pc never occurs, so that no entry matches.
_NO_TAGS = memoryview(b"\1\0\0\0\0\0\0\0" * at.JUMP_CACHE_ENTRIES).cast("Q")
_NO_JUMPS = (b"\1" + bytes(15)) * at.JUMP_CACHE_ENTRIES


class Cpu:
    """Registers, pc and control words of one guest CPU.

    `words` views the block as unsigned 64-bit words; `address` is the host address of the state pointer.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._memory = (ctypes.c_char * (BLOCK_SIZE + 64))()
        start = (ctypes.addressof(self._memory) + 63) & ~63
        skip = start - ctypes.addressof(self._memory)
        self.bytes = memoryview(self._memory).cast("B")[skip : skip + BLOCK_SIZE]
        self.words = self.bytes.cast("Q")
        self.address = start + CONTROL_SIZE
        self._start = {name: _WORDS_BELOW + offset // 8 for name, offset in layout.offsets.items()}
        first = _WORDS_BELOW + at.JUMP_CACHE // 8
        self._tags = self.words[first:first + 2 * at.JUMP_CACHE_ENTRIES:2]
        self._zero = {name: file.zero for name, file in layout.files.items()}
        # An engine's own: when it was entered last, which code the jump cache knows, the count at which to look where it is, since
        # when it is stopped (perf_counter_ns).
        self.epoch = self.generation = self.due = self.stopped = self.seen = 0
        self.looked = 0.0       # and when it was looked at last, in seconds of its thread's processor time
        self.reset()

    def reset(self) -> None:
        """All registers 0, no flags, no reservation, nothing cached."""
        self.bytes[:] = bytes(BLOCK_SIZE)
        self.set(at.RESERVED_ADDRESS, _MASK64)
        self.clear_jump_cache()

    def clear_jump_cache(self) -> None:
        """Forget which host code belongs to which pc. An odd pc never occurs, so that no entry matches."""
        self.bytes[CONTROL_SIZE + at.JUMP_CACHE :] = _NO_JUMPS

    def copy(self, other: Cpu) -> None:
        """Take over another CPU's registers, pc, rounding mode and flags; nothing executed, nothing noted."""
        start, end = CONTROL_SIZE, CONTROL_SIZE + at.JUMP_CACHE
        self.bytes[start:end] = other.bytes[start:end]
        for word in (at.PC, at.ROUNDING, at.FLAGS):
            self.set(word, other.get(word))
        for word in (at.COUNT, at.WAKE, at.MORE, at.INTERRUPT, at.IN_KERNEL):
            self.set(word, 0)
        self.set(at.RESERVED_ADDRESS, _MASK64)

    def get(self, offset: int) -> int:
        """The 64-bit word at a byte offset of `cpu.layout`."""
        return self.words[_WORDS_BELOW + (offset >> 3)]

    def set(self, offset: int, value: int) -> None:
        """Store a 64-bit word at a byte offset of `cpu.layout`."""
        self.words[_WORDS_BELOW + (offset >> 3)] = value & _MASK64

    def read(self, file: str, index: int) -> int:
        """A register of up to 64 bits, as an unsigned number."""
        return self.words[self._start[file] + index]

    def write(self, file: str, index: int, value: int) -> None:
        """Set a register of up to 64 bits (reduced modulo 2**64); a zero register stays 0."""
        if index != self._zero[file]:
            self.words[self._start[file] + index] = value & _MASK64

    def registers(self, file: str) -> memoryview:
        """A register file of up to 64 bits as bytes, 8 for each; who writes them leaves a zero register alone."""
        start = self._start[file] * 8
        return self.bytes[start : start + 8 * self.layout.files[file].count]

    @property
    def pc(self) -> int:
        """Guest address of the next instruction."""
        return self.words[_WORDS_BELOW + at.PC // 8]

    @pc.setter
    def pc(self, value: int) -> None:
        self.words[_WORDS_BELOW + at.PC // 8] = value & _MASK64

    @property
    def count(self) -> int:
        """Guest instructions executed so far (modulo 2**64)."""
        return self.words[_WORDS_BELOW + at.COUNT // 8]

    def interrupt(self) -> None:
        """Make the engine that runs this CPU return `Interrupted` at its next poll; safe from any thread.

        Jumps through the cache do not poll: it is emptied. Only the pcs: code that has found one still reads what is beside it.
        """
        self.set(at.INTERRUPT, 1)
        self.stop()

    def stop(self) -> None:
        """Make generated code leave at its next poll; the engine looks around and goes on."""
        self.set(at.LIMIT, 0)
        self._tags[:] = _NO_TAGS
