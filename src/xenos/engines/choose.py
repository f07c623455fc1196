"""Which engine runs a guest, and where the data that it needs is kept: what `cli/` and `api/` ask for."""

from __future__ import annotations

import os

from xenos.errors import HostError, UsageError
from xenos.warm import cache_folder as cache_folder
from xenos.warm import key as modules_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenos.cpu.layout import Layout
    from xenos.engines.code.store import Store
    from xenos.engines.stencil.engine import StencilEngine
    from xenos.engines.stencil.pack import Pack
    from xenos.linux.form import LinuxForm

    Progress = Callable[[int, int], None]

KINDS = ("region", "stencil", "reference", "lockstep")
# The region engine with a region at every block, or at a share of all blocks: for tests, which say by $XENOS_EAGER, SEED or
# SEED:SHARE, where chance puts them.
HIDDEN = ("eager",)


def guest_name(program: str | bytes) -> str:
    """The guest that a program is for. For scripts and for what no guest runs, the first one: loading will complain."""
    head = b""
    try:
        if os.path.isfile(program):     # a pipe would wait for somebody to write
            with open(program, "rb") as file:
                head = file.read(20)
    except OSError:
        pass
    machines = _machines()
    if head[:6] == b"\x7fELF\2\1":
        return machines.get(int.from_bytes(head[18:20], "little"), machines[0])
    return machines[0]


def guest_names() -> list[str]:
    """All guests, the first one first."""
    return list(dict.fromkeys(_machines().values()))


def _machines() -> dict[int, str]:
    """Guests by the e_machine of their ELF files; 0 is the first. Kept in the cache: a start imports no guest."""
    import marshal

    from xenos.engines.code.store import Store

    key, store = _machines_key(), Store(os.path.join(cache_folder(), "packs"))
    kept = store.load(key)
    if kept is not None:
        return marshal.loads(kept)  # type: ignore[no-any-return]
    from xenos.isa import ELF_MACHINES, GUESTS

    machines = {0: next(iter(GUESTS)), **ELF_MACHINES}
    store.save(key, [marshal.dumps(machines)], "guests")
    return machines


def _machines_key() -> bytes:
    from xenos.engines.code.store import digest

    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(here, "isa", "__init__.py"), "rb") as file:
        return digest(b"guests", file.read())


def forms(name: str, engine: Any = None) -> tuple[LinuxForm, Layout]:
    """How the guest of that name calls its kernel, and where its registers lie: from the engine's pack, if any."""
    pack = getattr(engine, "pack", None)
    if pack is not None and pack.name == name:
        return pack.linux, pack.layout
    from xenos.isa import find_guest

    guest = find_guest(name)
    return guest.linux, guest.layout


def register_names(name: str) -> dict[str, tuple[str, int]]:
    """The registers of up to 64 bits of the guest of that name, each under the one name that its users know best."""
    from xenos.isa import find_guest

    guest = find_guest(name)
    best = {register: text for text, register in guest.names.items()}  # of several, the last
    return {text: register for register, text in sorted(best.items()) if guest.layout.files[register[0]].width <= 64}


def make_engine(kind: str, name: str, progress: Progress | None = None, jobs: int | None = None) -> Any:
    """A new engine of that kind for the guest of that name; `progress(done, total)` is called while one compiles its library,
    and regions are compiled in at most so many processes."""
    if kind == "reference":
        return _reference(name)
    if kind == "stencil":
        return _stencil(name, progress)
    if kind == "region":
        return _region(name, progress, jobs)
    if kind == "lockstep":
        from xenos.engines.lockstep import LockstepEngine

        return LockstepEngine(_stencil(name, progress), _reference(name))
    if kind in HIDDEN:
        return _eager(name, progress)
    raise UsageError(f"there is no engine `{kind}`; there are: {', '.join(KINDS)}")


def _reference(name: str) -> Any:
    from xenos.engines.reference import ReferenceEngine
    from xenos.isa import find_guest

    return ReferenceEngine(find_guest(name))


def _stencil(name: str, progress: Progress | None) -> StencilEngine:
    from xenos.engines.code.store import Store
    from xenos.engines.stencil.engine import StencilEngine

    return StencilEngine(_pack(name, progress), store=Store(os.path.join(cache_folder(), "code")))


def _region(name: str, progress: Progress | None, jobs: int | None) -> StencilEngine:
    from xenos.engines.code.store import Store
    from xenos.engines.hosts import host
    from xenos.engines.region.engine import RegionEngine

    return RegionEngine(_pack(name, progress), host().level(), store=Store(os.path.join(cache_folder(), "code")), jobs=jobs)


def _eager(name: str, progress: Progress | None) -> StencilEngine:
    from xenos.engines.code.store import Store
    from xenos.engines.hosts import host
    from xenos.engines.region.eager import EagerEngine

    seed, _, share = os.environ.get("XENOS_EAGER", "0").partition(":")
    store = Store(os.path.join(cache_folder(), "code"))
    return EagerEngine(_pack(name, progress), host().level(), store=store, seed=int(seed), share=float(share or 1))


_bridges: list[Any] = []


def bridge() -> Any:
    """The way to the host's kernel that signals can end: one for this process, from the cache or made; None without LLVM."""
    if not _bridges:
        import marshal

        from xenos.engines.code.store import Store
        from xenos.engines.runtime import bridge as room

        store = Store(os.path.join(cache_folder(), "packs"))
        key = _bridge_key(Store(os.path.join(cache_folder(), "starts")))
        if key is None:
            return None
        kept = store.load(key)
        try:
            code = marshal.loads(kept) if kept is not None else room.build()
        except ImportError:
            return None
        if kept is None:
            store.save(key, [marshal.dumps(code)], "bridge")
        _bridges.append(room.Bridge(*code))
    return _bridges[0]


_BRIDGE = ("../cpu/layout.py", "runtime/bridge.py", "runtime/direct.py", "runtime/drive.py", "runtime/lives.py", "runtime/heirs.py",
           "runtime/parts.py", "runtime/trapped.py", "runtime/native.py", "native/language.py", "llvm/compiler.py")


def _bridge_files() -> tuple[list[str], bytes]:
    """What the bridge is made from, and what a hash of that is kept under."""
    from xenos.engines.code.store import digest

    here, machine = os.path.dirname(os.path.abspath(__file__)), os.uname().machine
    files = [os.path.join(here, name) for name in (*_BRIDGE, f"hosts/{machine}_runtime.py")]
    return files, digest(b"bridge", machine.encode(), *map(os.fsencode, files))


def _bridge_key(store: Store | None = None) -> bytes | None:
    """A hash of what the bridge is made from; None on a host that there is none for. `store` may know it."""
    from xenos.engines.code.stamps import content, hashed

    files, key = _bridge_files()
    try:
        return hashed(store, key, lambda stamps: [
            b"bridge", os.uname().machine.encode(), *(content(file, stamps) for file in files)])
    except OSError:
        return None


def keep(engine: Any) -> None:
    """Put what an engine has translated into the cache, if it is of that kind."""
    save = getattr(engine, "save", None)
    if save is not None:
        save()


def _pack(name: str, progress: Progress | None) -> Pack:
    """The pack of a guest: from the cache, or made and put there, or only made where the cache cannot be written."""
    from xenos.engines.hosts import host
    from xenos.engines.stencil import pack

    try:
        return pack.load(name, cache_folder(), host().level(), progress)
    except ImportError as error:
        raise HostError(f"the stencil engine needs {error.name} once, to compile its library: "
                        f"pip install {error.name}, or use --engine reference") from error


def pack_ready(name: str) -> bool:
    """Whether the stencils for a guest are in the cache."""
    from xenos.engines.code.store import Store, digest
    from xenos.engines.hosts import host
    from xenos.engines.stencil import pack

    return Store(os.path.join(cache_folder(), "packs")).has(digest(pack.made_from(name, host().level()), b"head"))


def in_use() -> tuple[set[bytes], set[bytes]]:
    """Of what the cache may hold, what this Xenos can use: who made it (the first 16 bytes), and the keys of what has no maker."""
    from xenos.engines.hosts import host
    from xenos.engines.stencil import pack
    from xenos.isa import GUESTS

    keys, bridge_key = {_machines_key(), pack.sources_key(), _bridge_files()[1], modules_key()}, _bridge_key()
    if bridge_key is not None:
        keys.add(bridge_key)
    try:
        levels = list(host().CPUS)
    except HostError:
        levels = []
    return {pack.made_from(name, level)[:16] for name in GUESTS for level in levels}, keys
