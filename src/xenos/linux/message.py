"""sys/socket.h: messages of several buffers, with control data: descriptors and credentials among it."""

from __future__ import annotations

import ctypes
import struct

from xenos.linux import kernel, passing
from xenos.linux.passing import EINVAL, EMSGSIZE, IOV_MAX
from xenos.linux.socket import ADDRESS_MAX, guest_address, host_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

ENOBUFS = 105
SOL_SOCKET, SCM_RIGHTS, SCM_PIDFD = 1, 1, 4
_CONTROL_MAX = 1 << 20
# struct msghdr: name, its length, buffers, their count, control data, its length, flags
_HEADER = struct.Struct("<QIxxxxQQQQIxxxx")
_MANY = _HEADER.size + 8    # sizeof(struct mmsghdr): a header and the bytes moved
_NAME_LENGTH_AT, _CONTROL_LENGTH_AT, _FLAGS_AT = 8, 40, 48
_CMSG = struct.Struct("<Qii")   # struct cmsghdr: length with itself, level, type


class Message:
    """One struct msghdr of the guest with its twin for the host, and what that points to."""

    __slots__ = ("at", "buffers", "control", "header", "name", "wishes")

    def __init__(self, process: Process, at: int, *, send: bool) -> None:
        memory = process.memory
        self.at = at
        self.wishes = _HEADER.unpack(memory.read(at, _HEADER.size))
        name, name_length, iov, count, control, control_length, flags = self.wishes
        if count > IOV_MAX:
            raise OSError(EMSGSIZE, "too many buffers")
        if name and name_length >> 31:
            raise OSError(EINVAL, "negative length")
        if control_length > _CONTROL_MAX:
            raise OSError(ENOBUFS, "too much control data")
        self.buffers = passing.vector(process, iov, count)
        self.name: ctypes.Array[ctypes.c_char] | None = None
        self.control: ctypes.Array[ctypes.c_char] | None = None
        if not name:
            name_length = 0
        elif send:
            address = host_address(process, name, min(name_length, ADDRESS_MAX))
            name_length = len(address)
            self.name = ctypes.create_string_buffer(address, max(name_length, 1))
        else:
            name_length = ADDRESS_MAX
            self.name = ctypes.create_string_buffer(name_length)
        if control_length:
            data = memory.read(control, control_length) if send else bytes(control_length)
            if send:
                _check_rights(process, data)
            self.control = ctypes.create_string_buffer(data, control_length)
        self.header = ctypes.create_string_buffer(_HEADER.pack(
            _address(self.name), name_length, ctypes.addressof(self.buffers), count, _address(self.control),
            control_length, flags,
        ), _HEADER.size)

    def received(self, process: Process, header: bytes) -> None:
        """Hand to the guest what the host's kernel filled in."""
        memory = process.memory
        _, name_length, _, _, _, control_length, flags = _HEADER.unpack(header)
        if self.control is not None:
            data = self.control.raw[:control_length]
            _note_rights(process, data)
            memory.write(self.wishes[4], data)
        if self.name is not None:
            found = guest_address(process, self.name.raw[: min(name_length, ADDRESS_MAX)])
            memory.write(self.wishes[0], found[: self.wishes[1]])
            name_length = len(found) if name_length <= ADDRESS_MAX else name_length
        if self.wishes[0]:
            memory.store(self.at + _NAME_LENGTH_AT, 4, name_length)
        memory.store(self.at + _CONTROL_LENGTH_AT, 8, control_length)
        memory.store(self.at + _FLAGS_AT, 4, flags)


def _address(buffer: ctypes.Array[ctypes.c_char] | None) -> int:
    return 0 if buffer is None else ctypes.addressof(buffer)


def _messages(control: bytes) -> list[tuple[int, int, bytes]]:
    """Level, type and data of each control message."""
    found = []
    at = 0
    while at + _CMSG.size <= len(control):
        length, level, kind = _CMSG.unpack_from(control, at)
        if length < _CMSG.size:
            break
        found.append((level, kind, control[at + _CMSG.size : at + length]))
        at += (length + 7) & ~7
    return found


def _descriptors(data: bytes) -> list[int]:
    return [fd for fd, in struct.iter_unpack("<i", data[: len(data) & ~3])]


def _check_rights(process: Process, control: bytes) -> None:
    """OSError (EBADF) where the guest would send away a descriptor of Xenos's."""
    for level, kind, data in _messages(control):
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            for fd in _descriptors(data):
                process.descriptors.check(fd)


def _note_rights(process: Process, control: bytes) -> None:
    """Descriptors that came with a message are the guest's."""
    for level, kind, data in _messages(control):
        if level == SOL_SOCKET and kind in (SCM_RIGHTS, SCM_PIDFD):
            process.descriptors.update(fd for fd in _descriptors(data) if fd >= 0)


def sendmsg(process: Process, fd: int, msg: int, flags: int) -> int:
    """sendmsg(2)."""
    message = Message(process, msg, send=True)
    return kernel.call(process, "sendmsg", fd, message.header, flags)


def recvmsg(process: Process, fd: int, msg: int, flags: int) -> int:
    """recvmsg(2)."""
    message = Message(process, msg, send=False)
    done = kernel.call(process, "recvmsg", fd, message.header, flags)
    if done >= 0:
        message.received(process, message.header.raw)
    return done


def _many(process: Process, vector: int, count: int, *, send: bool) -> tuple[list[Message], ctypes.Array[ctypes.c_char]]:
    messages = [Message(process, vector + _MANY * index, send=send) for index in range(count)]
    array = b"".join(message.header.raw + bytes(8) for message in messages)
    return messages, ctypes.create_string_buffer(array, max(len(array), 1))


def sendmmsg(process: Process, fd: int, msgvec: int, vlen: int, flags: int) -> int:
    """sendmmsg(2)."""
    messages, array = _many(process, msgvec, min(vlen, IOV_MAX), send=True)
    done = kernel.call(process, "sendmmsg", fd, array, len(messages), flags)
    _lengths(process, messages[: max(done, 0)], array.raw)
    return done


def recvmmsg(process: Process, fd: int, msgvec: int, vlen: int, flags: int, timeout: int) -> int:
    """recvmmsg(2)."""
    messages, array = _many(process, msgvec, min(vlen, IOV_MAX), send=False)
    limit = passing.address(process, timeout)
    done = kernel.call(process, "recvmmsg", fd, array, len(messages), flags, limit)
    found = array.raw
    for index, message in enumerate(messages[: max(done, 0)]):
        message.received(process, found[_MANY * index : _MANY * index + _HEADER.size])
    _lengths(process, messages[: max(done, 0)], found)
    return done


def _lengths(process: Process, messages: list[Message], array: bytes) -> None:
    for index, message in enumerate(messages):
        at = _MANY * index + _HEADER.size
        process.memory.write(message.at + _HEADER.size, array[at : at + 4])
