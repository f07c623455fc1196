"""A signal that a call of ours raises in its own thread, such as SIGPIPE: the guest would take it for one of its own."""

from __future__ import annotations

import _signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

SIGPIPE, SIGXFSZ = 13, 25
_BLOCK, _UNBLOCK = 0, 1


class Withheld:
    """Within this context a signal does not come; if a call there fails, it is taken to be of that call, and dropped.

    The thread's mask is never set as a whole: Python's and the C library's notion of it lacks 32 and 33, which a guest may block.
    """

    def __init__(self, number: int) -> None:
        self._set = {number}

    def __enter__(self) -> None:
        self._blocked = not self._set.isdisjoint(_signal.pthread_sigmask(_BLOCK, self._set))
        self._pending = not self._set.isdisjoint(_signal.sigpending())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, OSError) and not self._pending:
            _signal.sigtimedwait(self._set, 0)
        if not self._blocked:
            _signal.pthread_sigmask(_UNBLOCK, self._set)
