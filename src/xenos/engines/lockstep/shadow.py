"""Memory as the reference engine sees it while it rehearses: the guest's own, with its stores laid over it."""

from __future__ import annotations

from xenos.cpu.exits import Fault
from xenos.memory.flat import FlatMemory, MemoryFault

_WRITE = 2


class Shadow:
    """What `ReferenceEngine.step` needs of a memory. Nothing is stored: `stores` lists (address, bytes, what was there)."""

    def __init__(self, memory: FlatMemory) -> None:
        self.memory = memory
        self.stores: list[tuple[int, bytes, bytes]] = []
        self._over: dict[int, int] = {}

    def fetch_limit(self, pc: int) -> int:
        """As `FlatMemory.fetch_limit`."""
        return self.memory.fetch_limit(pc)

    def load(self, address: int, size: int) -> int:
        """As `FlatMemory.load`."""
        return int.from_bytes(self.read(address, size), "little")

    def read(self, address: int, length: int) -> bytes:
        """As `FlatMemory.read`."""
        data = self.memory.read(address, length)
        if self._over:
            over = self._over
            data = bytes(over.get(address + i, byte) for i, byte in enumerate(data))
        return data

    def store(self, address: int, size: int, value: int) -> None:
        """As `FlatMemory.store`: the same faults, but the bytes are only noted."""
        self._check(address, address + size)
        data = (value & (1 << size * 8) - 1).to_bytes(size, "little")
        self.stores.append((address, data, self.memory.read(address, size)))
        for i, byte in enumerate(data):
            self._over[address + i] = byte

    def _check(self, address: int, end: int) -> None:
        start = address
        while address < end:
            region = self.memory.regions.at(address)
            if region is None:
                raise MemoryFault(address, Fault.WRITE, Fault.NOTHING)
            if not region.prot & _WRITE:
                raise MemoryFault(address, Fault.WRITE, Fault.PROTECTED)
            if region.file is not None:
                try:
                    self.memory.read(max(start, region.start), min(end, region.end) - max(start, region.start))
                except MemoryFault as fault:
                    raise MemoryFault(fault.address, Fault.WRITE, fault.mapped) from None
            address = region.end

    def forget(self) -> None:
        """Begin the next rehearsal."""
        self.stores.clear()
        self._over.clear()
