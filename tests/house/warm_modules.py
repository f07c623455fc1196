"""The modules of a warm `xenos run`, beyond those of a Python that does nothing; a host's own are not listed."""

from __future__ import annotations

MODULES: tuple[str, ...] = (
    "__future__", "_bisect", "_blake2", "_ctypes", "_struct", "ctypes", "ctypes._endian", "gc", "itertools", "struct",
    "types",
    "xenos", "xenos.api", "xenos.api.find", "xenos.api.start", "xenos.cli", "xenos.cli.main", "xenos.cli.run",
    "xenos.cpu", "xenos.cpu.exits", "xenos.cpu.layout", "xenos.cpu.state", "xenos.engines", "xenos.engines.choose",
    "xenos.engines.code", "xenos.engines.code.arena", "xenos.engines.code.limbo", "xenos.engines.code.object",
    "xenos.engines.code.segment", "xenos.engines.code.stamps", "xenos.engines.code.store", "xenos.engines.code.table",
    "xenos.engines.hosts", "xenos.engines.native", "xenos.engines.native.image", "xenos.engines.native.words",
    "xenos.engines.region", "xenos.engines.region.burst", "xenos.engines.region.engine", "xenos.engines.region.history",
    "xenos.engines.region.orders", "xenos.engines.region.pages", "xenos.engines.region.pool", "xenos.engines.region.second",
    "xenos.engines.region.trials", "xenos.engines.region.waiting", "xenos.engines.region.wider",
    "xenos.engines.runtime", "xenos.engines.runtime.bridge", "xenos.engines.runtime.direct",
    "xenos.engines.runtime.native", "xenos.engines.stencil", "xenos.engines.stencil.engine",
    "xenos.engines.stencil.faults", "xenos.engines.stencil.pack", "xenos.engines.stencil.translator",
    "xenos.engines.translator", "xenos.engines.translator.layout", "xenos.errors", "xenos.linux",
    "xenos.linux.descriptors", "xenos.linux.dispatch", "xenos.linux.elf", "xenos.linux.form", "xenos.linux.hosts",
    "xenos.linux.kernel", "xenos.linux.loader", "xenos.linux.outcome", "xenos.linux.passing", "xenos.linux.paths",
    "xenos.linux.process", "xenos.linux.program", "xenos.linux.shortcuts", "xenos.linux.signals", "xenos.linux.stack",
    "xenos.linux.table", "xenos.linux.thread", "xenos.linux.threads", "xenos.linux.unistd", "xenos.memory",
    "xenos.memory.flat", "xenos.memory.host", "xenos.memory.placement", "xenos.memory.regions", "xenos.sysroots",
    "xenos.sysroots.place", "xenos.tuning", "xenos.tuning.levels", "xenos.tuning.tiers", "xenos.tuning.trial", "xenos.warm",
)
# What the C library of nearly every program asks the kernel for: in the file of modules, too (engines/code/modules.py).
CALLS: tuple[str, ...] = (
    "xenos.linux.futex", "xenos.linux.hosts.vdso", "xenos.linux.mman", "xenos.linux.procfs", "xenos.linux.resource",
    "xenos.linux.stat",
)
# Of those, what `--engine stencil` does without.
REGIONS: tuple[str, ...] = (
    "xenos.engines.region", "xenos.engines.region.burst", "xenos.engines.region.engine", "xenos.engines.region.history",
    "xenos.engines.region.orders", "xenos.engines.region.pages", "xenos.engines.region.pool", "xenos.engines.region.second",
    "xenos.engines.region.trials", "xenos.engines.region.waiting", "xenos.engines.region.wider",
    "xenos.tuning", "xenos.tuning.levels", "xenos.tuning.tiers", "xenos.tuning.trial",
)
