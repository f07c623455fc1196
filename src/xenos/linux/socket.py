"""sys/socket.h. Sockets are the host's; addresses pass through: their structures are the same for every 64-bit ISA.

Only the names of local sockets are paths, which the guest and the host may call differently.
"""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import kernel, passing
from xenos.linux.passing import EINVAL
from xenos.linux.unistd import give_pair
from xenos.memory.flat import MemoryFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EPERM, ENAMETOOLONG, ENOPROTOOPT = 1, 36, 92
ADDRESS_MAX = 128   # sizeof(struct sockaddr_storage)
_LOCAL = b"\1\0"    # AF_UNIX
_LOCAL_MAX = 108    # bytes of a path in struct sockaddr_un
SOL_IP, SOL_SOCKET, SOL_TCP, SOL_IPV6 = 0, 1, 6, 41
SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, TCP_ZEROCOPY_RECEIVE = 26, 51, 35
_TABLES = frozenset((64, 65, 96, 97, 128, 129))     # setting up iptables, arptables, ebtables: addresses in them
# Host path of a local socket -> what the guest called it: it is told its own words again.
_names: dict[bytes, bytes] = {}


def socket(process: Process, domain: int, type: int, protocol: int) -> int:
    """socket(2)."""
    fd = kernel.call(process, "socket", domain, type, protocol)
    return process.opened(fd) if fd >= 0 else fd


def socketpair(process: Process, domain: int, type: int, protocol: int, sv: int) -> int:
    """socketpair(2)."""
    ends = ctypes.create_string_buffer(8)
    result = kernel.call(process, "socketpair", domain, type, protocol, ends)
    return result if result < 0 else give_pair(process, ends.raw, sv)


def host_address(process: Process, addr: int, length: int) -> bytes:
    """A guest's socket address, as the host has it; OSError."""
    if not 0 <= length <= ADDRESS_MAX:
        raise OSError(EINVAL, "address too long")
    data = process.memory.read(addr, length)
    if process.policy is not None:
        process.policy.check_address(data)
    if data[:2] != _LOCAL or data[2:3] in (b"", b"\0"):  # no local socket, or one without a path
        return data
    name = data[2:].split(b"\0", 1)[0]
    path = passing.alone(process, name, follow=True)
    if path == name:
        return data
    if len(path) > _LOCAL_MAX:
        raise OSError(ENAMETOOLONG, "the path of a socket is too long on the host")
    _names[path] = name
    return _LOCAL + path + (b"\0" if len(path) < _LOCAL_MAX else b"")


def guest_address(process: Process, data: bytes) -> bytes:
    """An address that the host gave, as the guest has it."""
    if data[:2] != _LOCAL or data[2:3] in (b"", b"\0"):
        return data
    path, zero, _ = data[2:].partition(b"\0")
    return _LOCAL + (_names.get(path) or process.paths.guest(path)) + zero


def connect(process: Process, fd: int, addr: int, length: int) -> int:
    """connect(2)."""
    data = host_address(process, addr, length)
    return kernel.call(process, "connect", fd, data, len(data))


def bind(process: Process, fd: int, addr: int, length: int) -> int:
    """bind(2)."""
    data = host_address(process, addr, length)
    return kernel.call(process, "bind", fd, data, len(data))


class Answer:
    """Room for an address that the kernel fills in, and where the guest wants it."""

    __slots__ = ("addr", "addrlen", "data", "length", "room")

    def __init__(self, process: Process, addr: int, addrlen: int) -> None:
        self.addr = addr
        self.addrlen = addrlen
        self.room = passing.signed(process.memory.load(addrlen, 4))
        if self.room < 0:
            raise OSError(EINVAL, "negative length")
        self.data = ctypes.create_string_buffer(ADDRESS_MAX)
        self.length = ctypes.create_string_buffer(struct.pack("<I", ADDRESS_MAX), 4)

    def give(self, process: Process) -> None:
        """Hand the address and its length to the guest."""
        length, = struct.unpack("<I", self.length.raw)
        found = guest_address(process, self.data.raw[:length])
        process.memory.write(self.addr, found[: self.room])
        process.memory.store(self.addrlen, 4, len(found) if length <= ADDRESS_MAX else length)


def accept4(process: Process, fd: int, addr: int, addrlen: int, flags: int) -> int:
    """accept4(2)."""
    answer = Answer(process, addr, addrlen) if addr else None
    where = (answer.data, answer.length) if answer is not None else (0, 0)
    new = kernel.call(process, "accept4", fd, *where, flags)
    if new < 0:
        return new
    process.descriptors.add(new)
    if answer is not None:
        try:
            answer.give(process)
        except MemoryFault:
            process.descriptors.forget(new)
            kernel.plain("close", new)
            raise
    return new


def accept(process: Process, fd: int, addr: int, addrlen: int) -> int:
    """accept(2)."""
    return accept4(process, fd, addr, addrlen, 0)


def _named(process: Process, name: str, fd: int, addr: int, addrlen: int) -> int:
    answer = Answer(process, addr, addrlen)
    result = kernel.call(process, name, fd, answer.data, answer.length)
    if result >= 0:
        answer.give(process)
    return result


def getsockname(process: Process, fd: int, addr: int, addrlen: int) -> int:
    """getsockname(2)."""
    return _named(process, "getsockname", fd, addr, addrlen)


def getpeername(process: Process, fd: int, addr: int, addrlen: int) -> int:
    """getpeername(2)."""
    return _named(process, "getpeername", fd, addr, addrlen)


def setsockopt(process: Process, fd: int, level: int, name: int, value: int, length: int) -> int:
    """setsockopt(2). A socket filter is the one structure among these that points to another."""
    if level in (SOL_IP, SOL_IPV6) and name in _TABLES:
        return -EPERM
    if level == SOL_SOCKET and name in (SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF):
        count, program = struct.unpack("<HxxxxxxQ", process.memory.read(value, 16))
        data = struct.pack("<HxxxxxxQ", count, kernel.pointer(process, program, 8 * count))
        return kernel.call(process, "setsockopt", fd, level, name, data, length)
    return kernel.call(process, "setsockopt", fd, level, name, passing.address(process, value), length)


def getsockopt(process: Process, fd: int, level: int, name: int, value: int, optlen: int) -> int:
    """getsockopt(2)."""
    if level == SOL_TCP and name == TCP_ZEROCOPY_RECEIVE:
        return -ENOPROTOOPT
    where = passing.address(process, value), passing.address(process, optlen)
    return kernel.call(process, "getsockopt", fd, level, name, *where)


def sendto(process: Process, fd: int, buf: int, length: int, flags: int, addr: int, addrlen: int) -> int:
    """sendto(2)."""
    where = kernel.pointer(process, buf, length)
    target = host_address(process, addr, addrlen) if addr else b""
    return kernel.call(process, "sendto", fd, where, length, flags, target or 0, len(target))


def recvfrom(process: Process, fd: int, buf: int, length: int, flags: int, addr: int, addrlen: int) -> int:
    """recvfrom(2)."""
    where = kernel.pointer(process, buf, length)
    if not addr:
        return kernel.call(process, "recvfrom", fd, where, length, flags, 0, 0)
    answer = Answer(process, addr, addrlen)
    done = kernel.call(process, "recvfrom", fd, where, length, flags, answer.data, answer.length)
    if done >= 0:
        answer.give(process)
    return done
