"""The runtime, loaded: its image in the arena, the host's signal handlers, and `enter` as a Python callable."""

from __future__ import annotations

import _signal as signal  # the C part: the Python one imports enum
import ctypes

from xenos.cpu import layout as at
from xenos.engines.code.arena import Arena
from xenos.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from xenos.cpu.state import Cpu
    from xenos.engines.code.object import ObjectFile
    from xenos.engines.code.segment import Segment

DATA_SIZE = 1024
ARENA_START, ARENA_END, ON_SIGNAL, MOVING, SEGMENTS, OLD_HANDLERS = 0, 8, 16, 24, 48, 64
KEY, GET, SET = 640, 648, 656       # of what each thread has for itself: the state block that it is at (pthread_getspecific(3))
_CANONICAL64, _CANONICAL32 = 0x7FF8_0000_0000_0000, 0xFFFF_FFFF_7FC0_0000
SOON = 1 << 20      # with a limit of fewer instructions, indirect jumps look at it each time
_SA_SIGINFO, _SA_NODEFER, _SA_ONSTACK, _SA_RESTART = 4, 0x40000000, 0x08000000, 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)
_key = ctypes.c_uint(1 << 31)       # no key has that number


class _Action(ctypes.Structure):
    """struct sigaction of the C library (glibc, musl: the same on 64-bit hosts)."""

    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_uint8 * 128), ("flags", ctypes.c_int),
                ("restorer", ctypes.c_void_p)]


class Image:
    """The runtime's bytes, position-independent: code and behind it room for data; `offsets` of its functions."""

    __slots__ = ("code", "data", "offsets")

    def __init__(self, code: bytes, data: int, offsets: dict[str, int]) -> None:
        self.code = code
        self.data = data
        self.offsets = offsets


def link(made: ObjectFile, host: ModuleType) -> Image:
    """Settle an object's references to itself and to its data, and add the functions that the host gives as bytes."""
    from xenos.errors import EngineError

    text, offsets = made.text, dict(made.offsets)
    for name, body in host.EXTRA.items():
        text = text.ljust((len(text) + 15) & ~15, b"\0")
        offsets[name] = len(text)
        text += body
    data = (len(text) + 63) & ~63
    code = bytearray(text.ljust(data, b"\0") + bytes(DATA_SIZE))
    for r in made.text_relocations:
        target = {"data": data, ".text": 0}.get(r.symbol, made.offsets.get(r.symbol))
        if target is None:
            raise EngineError(f"the runtime refers to {r.symbol}, which it does not have")
        host.settle(code, r, target)
    return Image(bytes(code), data, offsets)


class Runtime:
    """One per arena. `enter(state pointer, host code)` runs generated code and comes back when that leaves."""

    def __init__(self, arena: Arena, image: Image) -> None:
        start = arena.allocate(len(image.code))
        self.part = start, len(image.code)   # where it lies in the arena
        arena.view[start:start + len(image.code)] = image.code
        self._data = arena.view[start + image.data:start + image.data + DATA_SIZE].cast("Q")
        self._data[ARENA_START // 8] = arena.base
        self._data[ARENA_END // 8] = arena.base + arena.size
        if _key.value == 1 << 31 and _libc.pthread_key_create(ctypes.byref(_key), None):
            raise HostError("this process has no pthread key left, of which generated code needs one")
        self._data[KEY // 8] = _key.value
        for where, function in ((GET, _libc.pthread_getspecific), (SET, _libc.pthread_setspecific)):
            self._data[where // 8] = ctypes.cast(function, ctypes.c_void_p).value or 0
        self._address = {name: arena.base + start + offset for name, offset in image.offsets.items()}
        self.enter = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(self._address["enter"])
        word = ctypes.c_uint64
        flush = self._address.get("flush")
        if flush is not None:
            arena.flush = ctypes.CFUNCTYPE(None, word, word)(flush)
            arena.flush(arena.base + start, arena.base + start + len(image.code))
        self.purge = ctypes.CFUNCTYPE(None, word, word, word, word)(self._address["purge"])
        self.enters = self._address["enter"]
        self.leave = self._address["leave"]
        self.lookup = self._address["lookup"]
        self.kernel = self._address["kernel"]
        self.move = 0       # address of the bridge's function that copies what may not be there
        self._caught: dict[int, _Action] = {}
        self._lists: list[tuple[ctypes.Array[ctypes.c_uint64], list[Segment]]] = []

    def prepare(self, cpu: Cpu, known: int) -> None:
        """Put into a CPU's state block what generated code finds there, and the address of what is `known` of faults."""
        if cpu.get(at.ENTER) == self.enters:
            return      # it has been here
        for word, value in ((at.ENTER, self.enters), (at.LEAVE, self.leave), (at.LOOKUP, self.lookup), (at.KERNEL, self.kernel),
                            (at.KNOWN, known), (at.CANONICAL_NAN64, _CANONICAL64), (at.CANONICAL_NAN32, _CANONICAL32)):
            cpu.set(word, value)

    def look_in(self, segments: list[Segment]) -> None:
        """Look in these segments, from now on, for places at which code goes on when an access in it fails (ways.py)."""
        made = (ctypes.c_uint64 * (len(segments) + 1))(*[segment.address for segment in segments])
        self._lists = [*self._lists[-8:], (made, segments)]     # a handler may be looking in the last one
        self._data[SEGMENTS // 8] = ctypes.addressof(made)

    def catch_faults(self) -> None:
        """Take SIGSEGV and SIGBUS; those from elsewhere go to the handlers that were there."""
        for number in (signal.SIGSEGV, signal.SIGBUS):
            self._install(number, "on_fault", _SA_SIGINFO | _SA_NODEFER | _SA_ONSTACK)

    def _install(self, number: int, handler: str, flags: int) -> None:
        old, new = _Action(), _Action()
        new.handler = self._address[handler]
        # A signal that came into the middle of it would be noted there, and the mask that lets others wait undone behind it.
        ctypes.memset(new.mask, 0xFF, 8)
        for never in (signal.SIGSEGV, signal.SIGBUS):
            new.mask[never - 1 >> 3] &= ~(1 << (never - 1 & 7))
        new.flags = flags
        _libc.sigaction(int(number), ctypes.byref(new), ctypes.byref(old))
        if (old.handler or 0) != new.handler:
            self._data[(OLD_HANDLERS >> 3) + number] = old.handler or 0
            self._caught.setdefault(int(number), old)

    def pass_on(self, address_of: dict[str, int]) -> None:
        """Where SIGSEGV and SIGBUS go that were sent to this process rather than raised in it, where a copy of guest memory
        goes on that faults, and what is between Python and generated code from now on: addresses in the bridge."""
        self._data[ON_SIGNAL // 8] = address_of["on_signal"]
        self.move = address_of["move"]
        for number, name in enumerate(("moving", "moved", "unmoved")):
            self._data[MOVING // 8 + number] = address_of[name]
        self.enter = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(address_of["drive"])

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for number, old in self._caught.items():
            _libc.sigaction(number, ctypes.byref(old), None)
        self._caught.clear()


class Listed(list["Segment"]):
    """Segments that somebody is told of before anything of a new one runs: the handler of faults."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def append(self, segment: Segment) -> None:
        """Put a new one there."""
        super().append(segment)
        self._tell()
