"""Something lies where guest memory must: the command starts anew with nothing at random places, once."""

import subprocess
import sys

from cli.kit import ROOT, environment

TAKE = f"""
import ctypes, sys
sys.path.insert(0, {str(ROOT / "src")!r})
libc = ctypes.CDLL(None)
if {{always}} or not libc.personality(0xFFFFFFFF) & 0x40000:
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.mmap(0x4000_0000, 4096, 1, 0x100022, -1, 0)
from xenos.cli.main import main
sys.exit(main())
"""


def started(always: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", TAKE.format(always=always), "run", str(ROOT / "examples" / "tour")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, env=environment(), check=False)


def test_it_starts_anew() -> None:
    ended = started(always=False)
    assert ended.returncode == 0 and "all as it must be" in ended.stdout and not ended.stderr


def test_it_does_so_once() -> None:
    ended = started(always=True)
    assert ended.returncode == 125 and ended.stderr.startswith("xenos: cannot reserve guest memory at 0x40000000")
    assert ended.stderr.count("\n") == 1
