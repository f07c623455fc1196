"""sys/socket.h. Sockets are the host's; addresses pass through: their structures are the same for every 64-bit ISA."""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import libc
from xenos.linux.uio import vector
from xenos.linux.unistd import span
from xenos.memory.flat import BASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

EINVAL, ENAMETOOLONG, EMSGSIZE = 22, 36, 90
SOCK_CLOEXEC, SOCK_NONBLOCK = 0o2000000, 0o4000
MSG_CMSG_CLOEXEC, MSG_NOSIGNAL = 0x40000000, 0x4000
_ADDRESS_MAX = 128  # sizeof(struct sockaddr_storage)
_LOCAL_MAX = 110    # sizeof(struct sockaddr_un)
_OPTION_MAX = 4096
_CONTROL_MAX = 64 << 10
_MSGHDR = struct.Struct("<QIxxxxQQQQixxxx")


def _kind(type: int) -> int:
    return type | SOCK_CLOEXEC


def socket(process: Process, domain: int, type: int, protocol: int) -> int:
    """socket(2)."""
    return process.opened(libc.call("socket", domain, _kind(type), protocol), type & SOCK_CLOEXEC != 0)


def socketpair(process: Process, domain: int, type: int, protocol: int, sv: int) -> int:
    """socketpair(2)."""
    process.memory.read(sv, 8)
    pair = (ctypes.c_int * 2)()
    libc.call("socketpair", domain, _kind(type), protocol, ctypes.addressof(pair))
    for fd in pair:
        process.opened(fd, type & SOCK_CLOEXEC != 0)
    process.memory.write(sv, struct.pack("<ii", *pair))
    return 0


def _address(process: Process, addr: int, length: int) -> bytes:
    """A socket address; the path of a local one is the guest's."""
    if length > _ADDRESS_MAX:
        raise OSError(EINVAL, "address too long")
    data = process.memory.read(addr, length)
    if process.policy is not None:
        process.policy.check_address(data)
    if data[:2] != b"\1\0" or data[2:3] in (b"", b"\0"):  # not AF_UNIX, or without a path
        return data
    host, dir_fd = process.locate(-100, data[2:].split(b"\0", 1)[0])
    moved = data[:2] + (host if dir_fd is None else b"/proc/self/fd/%d/%s" % (dir_fd, host)) + b"\0"
    if len(moved) > _LOCAL_MAX:
        raise OSError(ENAMETOOLONG, "the path of a socket is too long on the host")
    return moved


def connect(process: Process, fd: int, addr: int, length: int) -> int:
    """connect(2)."""
    data = _address(process, addr, length)
    return libc.call("connect", fd, data, len(data))


def bind(process: Process, fd: int, addr: int, length: int) -> int:
    """bind(2)."""
    data = _address(process, addr, length)
    return libc.call("bind", fd, data, len(data))


def listen(process: Process, fd: int, backlog: int) -> int:
    """listen(2)."""
    return libc.call("listen", fd, backlog)


def _with_address(process: Process, name: str, fd: int, addr: int, addrlen: int, *more: int) -> int:
    """Call a function that fills in an address and its length."""
    room = process.memory.load(addrlen, 4) if addr else 0
    data, length = ctypes.create_string_buffer(_ADDRESS_MAX), ctypes.c_uint32(_ADDRESS_MAX)
    result = libc.call(name, fd, ctypes.addressof(data), ctypes.addressof(length), *more)
    if addr:
        process.memory.write(addr, data.raw[: min(room, length.value)])
        process.memory.store(addrlen, 4, length.value)
    return result


def accept4(process: Process, fd: int, addr: int, addrlen: int, flags: int) -> int:
    """accept4(2)."""
    new = _with_address(process, "accept4", fd, addr, addrlen, flags | SOCK_CLOEXEC)
    return process.opened(new, flags & SOCK_CLOEXEC != 0)


def accept(process: Process, fd: int, addr: int, addrlen: int) -> int:
    """accept(2)."""
    return accept4(process, fd, addr, addrlen, 0)


def getsockname(process: Process, fd: int, addr: int, addrlen: int) -> int:
    """getsockname(2)."""
    return _with_address(process, "getsockname", fd, addr, addrlen)


def getpeername(process: Process, fd: int, addr: int, addrlen: int) -> int:
    """getpeername(2)."""
    return _with_address(process, "getpeername", fd, addr, addrlen)


def shutdown(process: Process, fd: int, how: int) -> int:
    """shutdown(2)."""
    return libc.call("shutdown", fd, how)


def setsockopt(process: Process, fd: int, level: int, name: int, value: int, length: int) -> int:
    """setsockopt(2)."""
    if length > _OPTION_MAX:
        return -EINVAL
    data = process.memory.read(value, length)
    return libc.call("setsockopt", fd, level, name, data, length)


def getsockopt(process: Process, fd: int, level: int, name: int, value: int, optlen: int) -> int:
    """getsockopt(2)."""
    room = min(process.memory.load(optlen, 4), _OPTION_MAX)
    data, length = ctypes.create_string_buffer(max(room, 1)), ctypes.c_uint32(room)
    libc.call("getsockopt", fd, level, name, ctypes.addressof(data), ctypes.addressof(length))
    process.memory.write(value, data.raw[: length.value])
    process.memory.store(optlen, 4, length.value)
    return 0


def sendto(process: Process, fd: int, buf: int, length: int, flags: int, addr: int, addrlen: int) -> int:
    """sendto(2)."""
    length = len(span(process, buf, length))
    target = _address(process, addr, addrlen) if addr else b""
    try:
        return libc.call("sendto", fd, BASE + buf, length, flags | MSG_NOSIGNAL, target or 0, len(target), wide=True)
    except BrokenPipeError:
        return -32 if flags & MSG_NOSIGNAL else process.signals.broken_pipe()


def recvfrom(process: Process, fd: int, buf: int, length: int, flags: int, addr: int, addrlen: int) -> int:
    """recvfrom(2)."""
    length = len(span(process, buf, length))
    if not addr:
        return libc.call("recvfrom", fd, BASE + buf, length, flags, 0, 0, wide=True)
    room = process.memory.load(addrlen, 4)
    data, size = ctypes.create_string_buffer(_ADDRESS_MAX), ctypes.c_uint32(_ADDRESS_MAX)
    where = ctypes.addressof(data), ctypes.addressof(size)
    done = libc.call("recvfrom", fd, BASE + buf, length, flags, *where, wide=True)
    process.memory.write(addr, data.raw[: min(room, size.value)])
    process.memory.store(addrlen, 4, size.value)
    return done


def _message(process: Process, msg: int) -> tuple[int, int, list[memoryview], int, int]:
    name, name_length, iov, count, control, control_length, _ = _MSGHDR.unpack(process.memory.read(msg, _MSGHDR.size))
    if count > 1024:
        raise OSError(EMSGSIZE, "too many buffers")
    if control_length > _CONTROL_MAX:
        raise OSError(EINVAL, "too much control data")
    return name, name_length, vector(process, iov, count), control, control_length


def _iovecs(buffers: list[memoryview]) -> ctypes.Array[ctypes.c_char]:
    words = []
    for buffer in buffers:
        words += [ctypes.addressof(ctypes.c_char.from_buffer(buffer)), len(buffer)]
    return ctypes.create_string_buffer(struct.pack(f"<{len(words)}Q", *words), max(16 * len(buffers), 16))


def sendmsg(process: Process, fd: int, msg: int, flags: int) -> int:
    """sendmsg(2)."""
    name, name_length, buffers, control, control_length = _message(process, msg)
    iov = _iovecs(buffers)
    target = ctypes.create_string_buffer(_address(process, name, name_length)) if name else None
    rights = ctypes.create_string_buffer(process.memory.read(control, control_length)) if control_length else None
    header = ctypes.create_string_buffer(_MSGHDR.pack(
        ctypes.addressof(target) if target else 0, len(target) - 1 if target else 0,
        ctypes.addressof(iov), len(buffers), ctypes.addressof(rights) if rights else 0, control_length, 0,
    ))
    try:
        return libc.call("sendmsg", fd, ctypes.addressof(header), flags | MSG_NOSIGNAL, wide=True)
    except BrokenPipeError:
        return -32 if flags & MSG_NOSIGNAL else process.signals.broken_pipe()


def recvmsg(process: Process, fd: int, msg: int, flags: int) -> int:
    """recvmsg(2)."""
    memory = process.memory
    name, name_length, buffers, control, control_length = _message(process, msg)
    iov = _iovecs(buffers)
    source = ctypes.create_string_buffer(_ADDRESS_MAX)
    rights = ctypes.create_string_buffer(max(control_length, 1))
    header = ctypes.create_string_buffer(_MSGHDR.pack(
        ctypes.addressof(source) if name else 0, _ADDRESS_MAX if name else 0, ctypes.addressof(iov), len(buffers),
        ctypes.addressof(rights), control_length, 0,
    ))
    done = libc.call("recvmsg", fd, ctypes.addressof(header), flags | MSG_CMSG_CLOEXEC, wide=True)
    _, got_name, _, _, _, got_control, got_flags = _MSGHDR.unpack(header.raw[: _MSGHDR.size])
    if name:
        memory.write(name, source.raw[: min(name_length, got_name)])
    if got_control:
        memory.write(control, rights.raw[:got_control])
        _note_rights(process, rights.raw[:got_control], flags & MSG_CMSG_CLOEXEC != 0)
    memory.store(msg + 8, 4, got_name if name else 0)
    memory.store(msg + 40, 8, got_control)
    memory.store(msg + 48, 4, got_flags & ~MSG_CMSG_CLOEXEC)
    return done


def _note_rights(process: Process, control: bytes, close_on_exec: bool) -> None:
    """Descriptors that came with a message (SCM_RIGHTS) are the guest's."""
    at = 0
    while at + 16 <= len(control):
        length, level, kind = struct.unpack_from("<Qii", control, at)
        if length < 16:
            break
        if (level, kind) == (1, 1):
            for fd, in struct.iter_unpack("<i", control[at + 16 : at + length]):
                process.opened(fd, close_on_exec)
        at += (length + 7) & ~7
