"""How a program ended: what `run` and `Process.run` give."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.api.profile import Profile


class Result:
    """How a program ended, and what it wrote if that was captured.

    status          its exit status, 0 to 255; 0 if a signal ended it
    signal          the signal that ended it, or 0
    instructions    how many guest instructions it executed
    crash           one line on the crash, with pc and symbol; empty if it was none
    stdout, stderr  what it wrote, as bytes; empty if it was not captured
    profile         its hottest loops and the ways they take, a `xenos.api.profile.Profile`, if that was asked for
    """

    __slots__ = ("crash", "instructions", "profile", "signal", "status", "stderr", "stdout")

    def __init__(
        self, status: int, signal: int, instructions: int, crash: str = "", stdout: bytes = b"", stderr: bytes = b"",
        profile: Profile | None = None,
    ) -> None:
        self.status = status
        self.signal = signal
        self.instructions = instructions
        self.crash = crash
        self.stdout = stdout
        self.stderr = stderr
        self.profile = profile

    @property
    def exit_status(self) -> int:
        """What a shell would say: the status, or 128 + the signal."""
        return 128 + self.signal if self.signal else self.status

    @property
    def text(self) -> str:
        """`stdout` as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    def __repr__(self) -> str:
        how = f"signal={self.signal}" if self.signal else f"status={self.status}"
        return f"Result({how}, instructions={self.instructions})"
