"""An empty guest process, put together. The command line starts here, too, so this imports little."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.engines.choose import Progress
    from xenos.linux.process import Process


def start(
    name: str, kind: str, *, sysroot: str | None = None, strace: bool = False, progress: Progress | None = None,
    engine: Any = None, make: type[Process] | None = None, jobs: int | None = None, seen: bool = True,
) -> Process:
    """A process of the guest of that name, to `load()` a program into, with an engine of that kind or the one given. `jobs`
    is how many processes that compile hot code, at most. Whether its registers at a fault that ends it are to be `seen` by anybody:
    the engine may be faster if not."""
    from xenos.cpu.state import Cpu
    from xenos.engines import choose
    from xenos.linux.process import Process
    from xenos.memory.flat import FlatMemory

    if engine is None:
        engine = choose.make_engine(kind, name, progress, jobs)
    linux, layout = choose.forms(name, engine)
    memory = FlatMemory()
    try:
        bridge = choose.bridge()
        process = (make or Process)(linux, Cpu(layout), memory, engine, sysroot=sysroot, strace=strace, bridge=bridge)
    except BaseException:
        memory.close()
        raise
    # What translates new code, executes the few instructions that have no native code, and starts threads; and what faults need.
    process.needed += [f"xenos.{name}" for name in (
        "engines.stencil.translator", "engines.reference.engine", "isa", "engines.stencil.launches", "engines.stencil.generations",
        "engines.stencil.faults", "engines.runtime.ways", "engines.code.pauses", "memory.watch")]
    after_fork = getattr(engine, "after_fork", None)
    process.before_end.append(lambda: choose.keep(engine))
    pass_on = getattr(getattr(engine, "runtime", None), "pass_on", None)
    if bridge is not None and pass_on is not None:
        pass_on(bridge.address_of)
    if after_fork is not None:
        process.after_fork.append(after_fork)
    if hasattr(engine, "pool"):
        engine.pool.hide = process.hide
        if not seen:
            process.signals.when_seen.append(engine.see)
            engine.see(False)
    return process
