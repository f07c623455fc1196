"""What all tests share: the oracle that `scripts/prepare-tests` fetched, and the table of guest programs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

pytest_plugins = ["guests.table"]

_QEMU = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenos" / "oracles" / "qemu-riscv64"

# Tests see no sysroot that the user has made for himself.
os.environ["XENOS_DATA"] = os.path.join(os.devnull, "xenos")

# A job in the background of a shell, and under nohup, ignores what comes from a terminal, and so would all that the tests start:
# some of it waits for that.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

if os.access(_QEMU, os.X_OK):
    os.environ.setdefault("XENOS_QEMU_RISCV64", str(_QEMU))
