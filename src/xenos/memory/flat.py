"""Guest memory as one arena of the host: guest address a lies at host address BASE + a; the host's MMU does the rest.

The arena is reserved once, inaccessible; guest mappings are made inside it. Generated code touches it directly and
faults as the guest would. Python goes through the methods here, which look before they touch and raise `MemoryFault`.
"""

from __future__ import annotations

import _thread
import ctypes
import os

from xenos.cpu.exits import Fault
from xenos.errors import HostError, TakenError
from xenos.memory import host, placement
from xenos.memory.host import EXEC, PAGE, READ, WRITE
from xenos.memory.regions import Region, Regions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xenos.memory.watch import Watch

# Above a Python linked at a fixed address and its heap, and a number that folds into 32-bit displacements.
BASE = 0x4000_0000
_LARGEST, _SMALLEST, _EEXIST = 46, 32, 17
_NOWHERE = Region(0, 0, 0)
_owned = False


class MemoryFault(Exception):
    """Python touched guest memory that is not there; the fields are those of `cpu.exits.Fault`."""

    def __init__(self, address: int, access: int, mapped: int = Fault.NOTHING) -> None:
        super().__init__(f"guest memory fault at {address:#x}")
        self.address = address
        self.access = access
        self.mapped = mapped


def page_up(value: int) -> int:
    """`value` rounded up to a whole page."""
    return (value + PAGE - 1) & -PAGE


def _reserve() -> int:
    """Reserve the arena; returns its size. A host that limits address space gets a smaller one."""
    if os.sysconf("SC_PAGE_SIZE") != PAGE:
        raise HostError(f"this host's pages are {os.sysconf('SC_PAGE_SIZE')} bytes; Xenos needs a kernel with {PAGE}")
    flags = host.PRIVATE | host.ANONYMOUS | host.NORESERVE | host.FIXED_NOREPLACE
    problem, taken = "", False
    for bits in range(_LARGEST, _SMALLEST - 1, -1):
        try:
            got = host.mmap(BASE, 1 << bits, 0, flags)
        except OSError as error:
            problem, taken = str(error.strerror), error.errno == _EEXIST
            continue
        if got == BASE:
            return 1 << bits
        host.munmap(got, 1 << bits)  # a kernel before 4.17 takes the address for a hint
        problem = "it is in use"
    cure = "raise `ulimit -v` or start Xenos in a fresh process"
    raise (TakenError if taken else HostError)(f"cannot reserve guest memory at {BASE:#x}: {problem}; {cure}")


class FlatMemory:
    """One guest address space of `size` bytes. Only one may be open in a process: `close()` it before the next."""

    def __init__(self) -> None:
        global _owned
        if _owned:
            raise HostError("there is a guest memory in this process already: close() it, or use another process")
        self.size = _reserve()
        _owned = True
        self._open = True
        self.lock = _thread.RLock()     # held while regions are looked at and acted on; engines hold it to translate, too
        self.regions = Regions()
        self.growing: set[int] = set()  # starts of regions that grow downwards when touched below (MAP_GROWSDOWN)
        self.view = memoryview((ctypes.c_char * self.size).from_address(BASE)).cast("B")
        self.on_code_change: list[Callable[[int, int], object]] = []
        self.watch: Watch | None = None     # over code that the guest writes without a word; most write none
        self.watched = ctypes.c_uint64()    # how many pages that watches
        self.top = min(placement.TOP, self.size)
        self.ceiling = self.top  # mappings without a wish go below this
        self._last = _NOWHERE
        self.changes = ctypes.c_uint64(1)   # to what is mapped, so far

    def close(self) -> None:
        """Give the arena back to the host."""
        global _owned
        if self._open:
            self._open = False
            self._changed(0, self.size, any(region.prot & EXEC for region in self.regions))
            self.regions.clear()
            host.munmap(BASE, self.size)
            _owned = False

    def reset(self) -> None:
        """Unmap everything."""
        had_code = any(region.prot & EXEC for region in self.regions)
        self.regions.clear()
        self.growing.clear()
        self.ceiling = self.top
        self._hide(0, self.size)
        self._changed(0, self.size, had_code)

    # Mapping. Addresses are whole pages inside the arena; callers have checked what comes from a guest.

    def map(
        self, address: int, length: int, prot: int, *,
        fd: int = -1, offset: int = 0, shared: bool = False, name: str = "",
    ) -> None:
        """Map anonymous memory, or the file `fd` from `offset`, in place of what was there. OSError if that fails."""
        flags = (host.SHARED if shared else host.PRIVATE) | host.FIXED | host.NORESERVE
        if fd < 0:
            flags |= host.ANONYMOUS
        file = os.readlink(f"/proc/self/fd/{fd}") if fd >= 0 else None

        def make() -> None:
            host.mmap(BASE + address, page_up(length), host.protection(prot), flags, fd, offset)

        self.place(address, length, prot, make, file=file, offset=offset if fd >= 0 else 0, shared=shared, name=name)

    def place(
        self, address: int, length: int, prot: int, make: Callable[[], object], *,
        file: str | None = None, offset: int = 0, shared: bool = True, name: str = "",
    ) -> None:
        """Let `make` put a mapping of the host over a range, and note it as a region; OSError where it fails."""
        length = page_up(length)
        end = address + length
        self._inside(address, length)
        with self.lock:
            try:
                make()
            except OSError:
                self._repair(address, length)
                raise
            pieces = self._remove(address, end)
            self.regions.add(Region(address, end, prot, file, offset, shared, name))
            self._changed(address, end, any(piece.prot & EXEC for piece in pieces))

    def _repair(self, address: int, length: int) -> None:
        """After a mapping that failed: the host may have taken away already what was there."""
        try:
            host.madvise(BASE + address, length, host.MADV_NORMAL)
        except OSError:
            self._hide(address, length)
            pieces = self._remove(address, address + length)
            self._changed(address, address + length, any(piece.prot & EXEC for piece in pieces))

    def _remove(self, start: int, end: int) -> list[Region]:
        self.growing -= {at for at in self.growing if start <= at < end}
        return self.regions.remove(start, end)

    def unmap(self, address: int, length: int) -> None:
        """Take a range away; holes in it are no error."""
        length = page_up(length)
        self._inside(address, length)
        with self.lock:
            if self.regions.between(address, address + length):
                self._hide(address, length)
                pieces = self._remove(address, address + length)
                self._changed(address, address + length, any(piece.prot & EXEC for piece in pieces))

    def protect(self, address: int, length: int, prot: int) -> None:
        """Give a range a new protection; OSError (ENOMEM) at the first hole, or as the host has it for a region."""
        end = address + page_up(length)
        self._inside(address, end - address)
        with self.lock:
            at = address
            for region in self.regions.between(address, end):
                if region.start > at:
                    break
                at = self._protect(max(address, region.start), min(end, region.end), prot, region.prot)
            if at < end:
                raise OSError(12, "not all of it is mapped")

    def _protect(self, low: int, high: int, prot: int, before: int) -> int:
        if prot != before:
            host.mprotect(BASE + low, high - low, host.protection(prot))
            for piece in self.regions.remove(low, high):
                piece.prot = prot
                self.regions.add(piece)
            # Code that may be written from now on is not watched yet, where it is to be.
            opened = prot & EXEC and prot & ~before & WRITE and not (self.watch and self.watch.tells(low, high))
            if self.watch:
                self.watch.gone(low, high, mapped=False)
            self._changed(low, high, bool(opened or (before ^ prot) & EXEC))
        return high

    def extend(self, address: int, old: int, new: int) -> None:
        """Make the mapping of `old` bytes, one region's end, `new` bytes long, over what is free behind; OSError."""
        region = self.regions.at(address + old - 1)
        if region is None or region.end != address + old:
            raise OSError(14, "not the end of a mapping")
        with self.lock:
            if region.solid:
                self.map(region.end, new - old, region.prot, name=region.name)
                return
            # Where nothing of the host's lies either, the mapping itself can grow.
            start = max(address, region.start)
            host.munmap(BASE + region.end, new - old)
            try:
                host.mremap(BASE + start, region.end - start, address + new - start, 0)
            except OSError:
                self._hide(region.end, new - old)
                raise
            region.end = address + new

    def move(self, address: int, old: int, target: int, new: int, *, keep: bool = False) -> None:
        """Move `old` bytes of one region to `target`, `new` bytes long there, and unmap what lay at `target`. OSError.

        With `keep`, empty memory stays where it was; with `old` 0 the whole mapping does (which must be shared).
        """
        old, new = page_up(old), page_up(new)
        self._inside(target, new)
        flags = host.MREMAP_MAYMOVE | host.MREMAP_FIXED | (host.MREMAP_DONTUNMAP if keep else 0)
        with self.lock:
            region = self.regions.at(address)
            if region is None or region.end < address + old:
                raise OSError(14, "not one mapping")
            if self.watch:
                self.watch.open(address, address + old)
            self.unmap(target, new)
            try:
                host.mremap(BASE + address, old, new, flags, BASE + target)
            except OSError:
                self._repair(target, new)
                self._repair(address, max(old, PAGE))
                if keep or not old:
                    raise
                self._copy_mapping(address, old, target, new)
                return
            moved = region.part(address, address + new)
            moved.start, moved.end = target, target + new
            if old and not keep:
                self._hide(address, old)
                self._remove(address, address + old)
            self.regions.add(moved)
            self._changed(address, address + max(old, PAGE), region.prot & EXEC != 0)

    def _copy_mapping(self, address: int, old: int, target: int, new: int) -> None:
        """Move by copying: what is one region here may be several mappings of the host, which mremap refuses."""
        region = self.regions.at(address)
        plain = region is not None and region.end >= address + old and region.solid
        if region is None or not plain or not region.prot & READ:
            raise OSError(14, "several mappings")
        self.map(target, new, READ | WRITE, name=region.name)
        length = min(old, new)
        self.view[target : target + length] = self.view[address : address + length]
        self.protect(target, new, region.prot)
        self.unmap(address, old)

    def discard(self, address: int, length: int, advice: int) -> None:
        """madvise(2) on the mapped parts of a range: `advice` in the host's numbers. OSError as there."""
        with self.lock:
            for region in self.regions.between(address, address + length):
                low, high = max(address, region.start), min(address + length, region.end)
                if self.watch:
                    self.watch.open(low, high)
                host.madvise(BASE + low, high - low, advice)
                self._changed(low, high, region.prot & EXEC != 0, mapped=False)

    def find_free(self, length: int, *, top: int = 0) -> int:
        """Where a mapping of `length` bytes without a wish goes; OSError (ENOMEM) if nowhere."""
        found = placement.high(self.regions, page_up(length), top or self.ceiling)
        if found is None:
            raise OSError(12, "guest address space is full")
        return found

    def find_slot(self, length: int, identity: bytes, *, program: bool) -> int:
        """Where a program or library goes, always the same for the same `identity`; OSError (ENOMEM) if nowhere."""
        found = placement.slot(self.regions, identity, page_up(length), program=program)
        return self.find_free(length) if found is None else found

    def _inside(self, address: int, length: int) -> None:
        if address & (PAGE - 1) or length <= 0 or address < 0 or address + length > self.size:
            raise OSError(12 if length > 0 else 22, f"no guest address range: {address:#x} + {length:#x}")

    def _hide(self, address: int, length: int) -> None:
        flags = host.PRIVATE | host.ANONYMOUS | host.NORESERVE | host.FIXED
        host.mmap(BASE + address, length, 0, flags)

    def _changed(self, start: int, end: int, code: bool, mapped: bool = True) -> None:
        self._last = _NOWHERE
        self.changes.value += mapped
        if code:
            if self.watch and mapped:
                self.watch.gone(start, end)
            for call in self.on_code_change:
                call(start, end)

    def watching(self) -> Watch:
        """The watch on code that the guest may write, from now on."""
        if not self.watch:
            from xenos.memory.watch import Watch

            self.watch = Watch(BASE, self, self._changed)
        return self.watch

    # Access.

    def load(self, address: int, size: int) -> int:
        """`size` bytes as an unsigned little-endian number."""
        region = self._last
        if region.start <= address and address + size <= region.end and region.prot:
            return int.from_bytes(self.view[address : address + size], "little")
        return int.from_bytes(self.read(address, size), "little")

    def store(self, address: int, size: int, value: int) -> None:
        """Store the low `size` bytes of `value`, little endian."""
        data = (value & (1 << size * 8) - 1).to_bytes(size, "little")
        region = self._last
        if region.start <= address and address + size <= region.end and region.prot & (WRITE | EXEC) == WRITE:
            self.view[address : address + size] = data
        else:
            self.write(address, data)

    def read(self, address: int, length: int) -> bytes:
        """Bytes that the guest could load, store or execute (what may be stored may be loaded); MemoryFault at the first others."""
        end = address + length
        region = self.regions.at(address)
        if region is not None and end <= region.end and region.prot and region.solid:
            self._last = region
            return bytes(self.view[address:end])
        parts = []
        for low, high, piece in self._walk(address, end, READ | WRITE | EXEC, Fault.READ):
            parts.append(bytes(self.view[low:high]) if piece.solid else self._fetch(low, high, Fault.READ))
        return b"".join(parts)

    def check_store(self, address: int, size: int) -> list[tuple[int, int, Region]]:
        """The pieces of a range by region: MemoryFault at the first byte that the guest could not store."""
        end, pieces = address + size, []
        for low, high, piece in self._walk(address, end, WRITE, Fault.WRITE):
            if not piece.solid:
                self._fetch(low, high, Fault.WRITE)
            pieces.append((low, high, piece))
        return pieces

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store bytes as the guest could; MemoryFault, before anything is written, at the first byte it could not."""
        end = address + len(data)
        region = self.regions.at(address)
        if region is not None and end <= region.end and region.prot & (WRITE | EXEC) == WRITE and region.solid:
            self._last = region
            self.view[address:end] = data
            return
        one = address & -PAGE == end - 1 & -PAGE    # page: the host writes all of it or nothing
        for low, high, piece in self._walk(address, end, WRITE, Fault.WRITE) if one else self.check_store(address, len(data)):
            part = bytes(data[low - address : high - address])
            if piece.prot & EXEC and self.watch:
                self.watch.open(low, high)
            if piece.solid:
                self.view[low:high] = part
            else:
                source = ctypes.create_string_buffer(part, len(part))
                done = host.copy_checked(BASE + low, ctypes.addressof(source), high - low, write=True)
                if done < high - low:   # it has become shorter since
                    raise MemoryFault(low + done, Fault.WRITE, Fault.BEHIND_FILE)
            if piece.prot & EXEC:
                self._changed(low, high, True, mapped=False)

    def cstring(self, address: int, limit: int = 1 << 20) -> bytes:
        """The bytes before the first zero byte, without it; at most `limit`."""
        parts: list[bytes] = []
        while limit > 0:
            chunk = self.read(address, min(limit, PAGE - address % PAGE))
            end = chunk.find(0)
            if end >= 0:
                return b"".join([*parts, chunk[:end]])
            parts.append(chunk)
            address += len(chunk)
            limit -= len(chunk)
        return b"".join(parts)

    def fetch_limit(self, pc: int) -> int:
        """End of the executable region that contains `pc`; MemoryFault (EXECUTE) if there is none."""
        region = self.regions.at(pc)
        if region is None or not region.prot & EXEC:
            raise MemoryFault(pc, Fault.EXECUTE, Fault.NOTHING if region is None else Fault.PROTECTED)
        return region.end

    def _walk(self, address: int, end: int, prot: int, access: int) -> Iterator[tuple[int, int, Region]]:
        """The pieces of [address, end) by region, one after the other: MemoryFault at one that allows none of the bits `prot`."""
        while address < end:
            region = self.regions.at(address)
            if region is None or not region.prot & prot:
                raise MemoryFault(address, access, Fault.NOTHING if region is None else Fault.PROTECTED)
            high = min(end, region.end)
            yield address, high, region
            address = high

    def _fetch(self, low: int, high: int, access: int) -> bytes:
        """What is in a file mapping, whose file may have become shorter than what is mapped of it."""
        buffer = ctypes.create_string_buffer(high - low)
        done = host.copy_checked(ctypes.addressof(buffer), BASE + low, high - low, write=False)
        if done < high - low:
            raise MemoryFault(low + done, access, Fault.BEHIND_FILE)
        return buffer.raw
