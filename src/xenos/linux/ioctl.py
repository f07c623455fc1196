"""sys/ioctl.h: terminals, and a few requests of files and pipes. Their numbers and structures are asm-generic's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.linux.process import Process

ENOTTY = 25
FIONCLEX, FIOCLEX, FIONBIO, FIOASYNC, FIONREAD, FIOQSIZE = 0x5450, 0x5451, 0x5421, 0x5452, 0x541B, 0x5460
_TERMIOS, _TERMIOS2, _WINSIZE, _INT, _LONG = 36, 44, 8, 4, 8

# Request -> bytes read from the guest, bytes written to it.
_SIZES = {
    0x5401: (0, _TERMIOS), 0x5402: (_TERMIOS, 0), 0x5403: (_TERMIOS, 0), 0x5404: (_TERMIOS, 0),  # TCGETS...
    0x802C542A: (0, _TERMIOS2), 0x402C542B: (_TERMIOS2, 0), 0x402C542C: (_TERMIOS2, 0), 0x402C542D: (_TERMIOS2, 0),
    0x540F: (0, _INT), 0x5410: (_INT, 0), 0x5429: (0, _INT),  # TIOCGPGRP...
    0x5413: (0, _WINSIZE), 0x5414: (_WINSIZE, 0),  # TIOCGWINSZ...
    0x5411: (0, _INT), FIONREAD: (0, _INT), FIONBIO: (_INT, 0), FIOASYNC: (_INT, 0), FIOQSIZE: (0, _LONG),
    0x5415: (0, _INT), 0x5416: (_INT, 0), 0x5417: (_INT, 0), 0x5418: (_INT, 0),  # TIOCMGET...
    0x5424: (0, _INT), 0x5423: (_INT, 0), 0x5420: (_INT, 0),  # TIOCGETD...
    0x80045430: (0, _INT), 0x40045431: (_INT, 0), 0x80045432: (0, _INT), 0x80045438: (0, _INT), 0x80045439: (0, _INT),
    0x80086601: (0, _LONG), 0x40086602: (_LONG, 0), 0x80081272: (0, _LONG), 0x1268: (0, _INT), 0x1260: (0, _LONG),
    0x4020940D: (32, 0),                                                                                  # FICLONERANGE
}
# Requests whose argument is a number.
_NUMBERS = frozenset((
    0x5409, 0x540A, 0x540B, 0x540C, 0x540D, 0x540E, 0x5422, 0x5425, 0x5427, 0x5428, 0x5441, 0x40049409,
))


def ioctl(process: Process, fd: int, request: int, argp: int) -> int:
    """ioctl(2)."""
    import fcntl as host

    if request in (FIOCLEX, FIONCLEX):
        host.fcntl(fd, host.F_GETFD)
        process.descriptors[fd] = request == FIOCLEX
        return 0
    if request in _NUMBERS:
        number: int = host.ioctl(fd, request, argp & 0x7FFFFFFF)
        return process.opened(number) if request == 0x5441 else number
    sizes = _SIZES.get(request)
    if sizes is None:
        host.fcntl(fd, host.F_GETFD)
        return -ENOTTY
    reads, writes = sizes
    data = bytearray(process.memory.read(argp, reads) if reads else bytes(writes))
    result: int = host.ioctl(fd, request, data, True)
    if writes:
        process.memory.write(argp, data)
    return result
