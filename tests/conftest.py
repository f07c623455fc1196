"""What all tests share: the oracle that `scripts/prepare-tests` fetched, and the table of guest programs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

pytest_plugins = ["guests.table"]

_QEMU = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenos" / "oracles" / "qemu-riscv64"

# Tests see no sysroot that the user has made for himself.
os.environ["XENOS_DATA"] = os.path.join(os.devnull, "xenos")

# A job in the background of a shell ignores interrupts, and so would all that the tests start: some of it waits for one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if os.access(_QEMU, os.X_OK):
    os.environ.setdefault("XENOS_QEMU_RISCV64", str(_QEMU))
