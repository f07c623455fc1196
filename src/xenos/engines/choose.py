"""Which engine runs a guest, and where the data that it needs is kept: what `cli/` and `api/` ask for."""

from __future__ import annotations

import os

from xenos.errors import HostError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenos.cpu.layout import Layout
    from xenos.engines.stencil.engine import StencilEngine
    from xenos.engines.stencil.pack import Pack
    from xenos.isa.guest import LinuxForm

    Progress = Callable[[int, int], None]

KINDS = ("stencil", "reference", "lockstep")


def cache_folder() -> str:
    """Where Xenos keeps what it made: $XENOS_CACHE, else $XDG_CACHE_HOME/xenos, else ~/.cache/xenos. It may not exist."""
    environ = os.environ
    if environ.get("XENOS_CACHE"):
        return environ["XENOS_CACHE"]
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative paths are invalid and to be ignored
        base = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cache")
    return os.path.join(base, "xenos")


def guest_name(program: str | bytes) -> str:
    """The guest that a program is for. For scripts, and for what no guest runs, the first one: loading says what is wrong."""
    from xenos.isa import ELF_MACHINES, GUESTS

    try:
        with open(program, "rb") as file:
            head = file.read(20)
    except OSError:
        head = b""
    if head[:6] == b"\x7fELF\2\1":
        return ELF_MACHINES.get(int.from_bytes(head[18:20], "little"), next(iter(GUESTS)))
    return next(iter(GUESTS))


def forms(name: str) -> tuple[LinuxForm, Layout]:
    """How the guest of that name calls its kernel, and where its registers lie."""
    from xenos.isa import find_guest

    guest = find_guest(name)
    return guest.linux, guest.layout


def register_names(name: str) -> dict[str, tuple[str, int]]:
    """The registers of up to 64 bits of the guest of that name, each under the one name that its users know best."""
    from xenos.isa import find_guest

    guest = find_guest(name)
    best = {register: text for text, register in guest.names.items()}  # of several, the last
    return {text: register for register, text in sorted(best.items()) if guest.layout.files[register[0]].width <= 64}


def make_engine(kind: str, name: str, progress: Progress | None = None) -> Any:
    """A new engine of that kind for the guest of that name; `progress(done, total)` is called while stencils are compiled."""
    if kind == "reference":
        return _reference(name)
    if kind == "stencil":
        return _stencil(name, progress)
    if kind == "lockstep":
        from xenos.engines.lockstep import LockstepEngine

        return LockstepEngine(_stencil(name, progress), _reference(name))
    raise UsageError(f"there is no engine `{kind}`; there are: {', '.join(KINDS)}")


def _reference(name: str) -> Any:
    from xenos.engines.reference import ReferenceEngine
    from xenos.isa import find_guest

    return ReferenceEngine(find_guest(name))


def _stencil(name: str, progress: Progress | None) -> StencilEngine:
    from xenos.engines.stencil.engine import StencilEngine

    return StencilEngine(_pack(name, progress))


def _pack(name: str, progress: Progress | None) -> Pack:
    """The pack of a guest: from the cache, or made and put there, or only made where the cache cannot be written."""
    from xenos.engines.hosts import host
    from xenos.engines.stencil import pack

    level = host().level()
    folder = pack_folder(name, level)
    try:
        os.makedirs(folder, exist_ok=True)
        if os.access(folder, os.W_OK) or os.path.exists(os.path.join(folder, "head")):
            return pack.load(name, folder, level, progress)
    except OSError:
        pass
    except ImportError as error:
        raise HostError(f"the stencil engine needs {error.name} once, to compile its library: "
                        f"pip install {error.name}, or use --engine reference") from error
    head, stencils = pack.build(name, level, progress)
    return pack.Pack(name, head, lambda: stencils)


def pack_folder(name: str, level: int) -> str:
    """Where the pack of a guest is kept, for a host level."""
    from xenos.engines.hosts import host

    return os.path.join(cache_folder(), "packs", f"{name}-{host().NAME}-v{level}")
