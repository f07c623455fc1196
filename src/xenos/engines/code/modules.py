"""Makes the file that starts take their modules from (xenos/warm.py): those of a warm `xenos run`, compiled, side by side.

Which these are is written down here, and tests hold it: a file that learnt would grow, and all of it is read at each start.
"""

from __future__ import annotations

import marshal
import os
import time
from _frozen_importlib_external import SourceFileLoader, cache_from_source

from xenos import warm
from xenos.engines.code.stamps import SETTLED, stamp
from xenos.engines.code.store import HEAD, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

# Without `xenos.`; {host} is the machine that this is. `xenos` and `xenos.warm` are there before the file is looked for.
MODULES = (
    "api", "api.find", "api.start", "cli", "cli.main", "cli.run", "cpu", "cpu.exits", "cpu.layout", "cpu.state", "engines",
    "engines.choose", "engines.code", "engines.code.arena", "engines.code.limbo", "engines.code.object",
    "engines.code.segment", "engines.code.stamps", "engines.code.store", "engines.code.table", "engines.hosts",
    "engines.hosts.{host}", "engines.hosts.{host}_runtime", "engines.native", "engines.native.image", "engines.native.words",
    "engines.region", "engines.region.burst", "engines.region.engine", "engines.region.history",
    "engines.region.orders", "engines.region.pages", "engines.region.pool", "engines.region.second",
    "engines.region.trials", "engines.region.waiting", "engines.region.wider",
    "engines.runtime", "engines.runtime.bridge", "engines.runtime.direct", "engines.runtime.native", "engines.stencil",
    "engines.stencil.engine", "engines.stencil.faults", "engines.stencil.pack", "engines.stencil.translator",
    "engines.translator", "engines.translator.layout", "errors", "linux", "linux.descriptors", "linux.dispatch", "linux.elf",
    "linux.form", "linux.futex", "linux.hosts", "linux.hosts.{host}", "linux.hosts.vdso", "linux.kernel", "linux.loader",
    "linux.mman", "linux.outcome", "linux.passing", "linux.paths", "linux.process", "linux.procfs", "linux.program",
    "linux.resource", "linux.shortcuts", "linux.signals", "linux.stack", "linux.stat", "linux.table", "linux.thread",
    "linux.threads", "linux.unistd", "memory", "memory.flat", "memory.host", "memory.placement", "memory.regions",
    "sysroots", "sysroots.place", "tuning", "tuning.levels", "tuning.tiers", "tuning.trial",
)
assert warm.HEAD == HEAD


def keep() -> bool:
    """Make the file, or see to it that nothing is done in vain: not where it cannot be written, nor of sources just changed."""
    folder = warm.folder()
    if not os.access(folder if os.path.isdir(folder) else warm.cache_folder(), os.W_OK):
        return False
    content = compiled()
    return content is not None and Store(folder).save(warm.key(), content, "modules")


def compiled() -> list[bytes] | None:
    """The file's content; None if a source is being worked on. Not every machine has all of them."""
    root = os.path.dirname(os.path.abspath(warm.__file__))
    files: dict[str, tuple[Any, ...]] = {}
    codes: dict[str, CodeType] = {}
    now = time.time_ns()
    for short in MODULES:
        name = "xenos." + short.format(host=os.uname().machine)
        path = os.path.join(root, *name.split(".")[1:])
        package = path if os.path.isdir(path) else ""
        path = os.path.join(path, "__init__.py") if package else path + ".py"
        try:
            before = stamp(path)
            code = SourceFileLoader(name, path).get_code(name)
            if code is None or stamp(path) != before or now - max(before[:2]) < SETTLED:
                return None
        except FileNotFoundError:
            continue
        except (OSError, SyntaxError):
            return None
        files[name], codes[name] = (path, package, cache_from_source(path), *before), code
    body = warm.key() + marshal.dumps((files, codes))
    return [warm.checksum(body), body]
