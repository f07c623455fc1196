"""Memory as the reference engine sees it while it rehearses: the guest's own, with its stores laid over it."""

from __future__ import annotations

from xenos.memory.flat import FlatMemory


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
        self.check_store(address, size)
        data = (value & (1 << size * 8) - 1).to_bytes(size, "little")
        self.stores.append((address, data, self.memory.read(address, size)))
        for i, byte in enumerate(data):
            self._over[address + i] = byte

    def check_store(self, address: int, size: int) -> None:
        """As `FlatMemory.check_store`, but for what that gives."""
        self.memory.check_store(address, size)

    def forget(self) -> None:
        """Begin the next rehearsal."""
        self.stores.clear()
        self._over.clear()
