"""What a guest and a host need to run together, made once and kept as data: runtime image, stencils, constants."""

from __future__ import annotations

import marshal
import os

from xenos.cpu.layout import Layout, RegisterFile
from xenos.engines.code.stamps import content, hashed, stamp
from xenos.engines.code.store import Store, digest
from xenos.engines.runtime.native import Image
from xenos.linux.form import LinuxForm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenos.engines.code.arena import Arena
    from xenos.engines.code.stamps import Stamp
    from xenos.engines.native.image import Made
    from xenos.engines.stencil.translator import Translator
    from xenos.isa.guest import Guest


class Pack:
    """The data for one guest on one host. What the translator needs is read when code is translated."""

    def __init__(self, name: str, head: dict[str, Any], book: Callable[[], bytes]) -> None:
        self.name = name
        self.made_from: bytes = head["made_from"]
        self.key = digest(head["code"], head["constants"], head["made_from"])
        self.image = Image(head["code"], head["data"], head["offsets"])
        self.constants: bytes = head["constants"]
        self.alignment: int = head["alignment"]
        self.layout = Layout(tuple(RegisterFile(*words) for words in head["registers"]))
        self.linux = LinuxForm(**head["linux"])
        self._short: tuple[int, int] = head["short"]
        self._native: Made = head["native"]
        self.book = book

    def is_long(self, half: int) -> bool:
        """Whether an instruction whose first 16 bits these are has 32."""
        return half & self._short[0] == self._short[1]

    def guest(self) -> Guest:
        """The guest's full description."""
        from xenos.isa import find_guest

        return find_guest(self.name)

    def translator(self, arena: Arena, memory: int, single: bool = False) -> Translator:
        """A translator for code in an arena, of a guest whose address 0 lies at `memory` (stencil/translator.py)."""
        from xenos.engines.stencil.translator import Translator

        return Translator(arena, self._native, self.book, memory, single)


def build(name: str, level: int, progress: Callable[[int, int], None] | None = None,
          machine: str = "") -> tuple[dict[str, Any], bytes]:
    """Make the data: (head, the translator's book), for this machine or another one. Needs llvmlite, and some seconds."""
    from xenos.engines.hosts import host, host_floats, host_runtime
    from xenos.engines.llvm.compiler import Compiler
    from xenos.engines.llvm.workers import Workers
    from xenos.engines.runtime.native import link
    from xenos.engines.runtime.text import runtime
    from xenos.engines.stencil.book import Book
    from xenos.engines.stencil.library import Builder
    from xenos.engines.stencil.pins import homes
    from xenos.engines.stencil.translator import image as native
    from xenos.isa import find_guest
    from xenos.memory.flat import BASE

    form = find_guest(name)
    target = host(machine)
    builder = Builder(form, target, host_floats(level, machine), level, BASE)
    with Workers() as workers:
        own = workers.begin(native, level, machine)
        builder.build(progress=progress, workers=workers)
        book = Book(form, target, builder.stencils, builder.special(), builder.slow)
        written = book.write()
        text = runtime(builder.convention, homes(form, target), form.alignment, host_runtime(machine), form.linux, form.layout)
        cpu, features = target.CPUS[level]
        compiler = Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)
        image = link(compiler.compile(text), host_runtime(machine))
        head = {"code": image.code, "data": image.data, "offsets": image.offsets, "constants": bytes(builder.constants),
                "registers": [(r.name, r.width, r.count, r.zero, r.floating) for r in form.registers],
                "linux": vars(form.linux), "alignment": form.alignment, "short": form.instructions().short or (0, 0),
                "native": own()}
    return head, written


def made_from(name: str, level: int, folder: str = "") -> bytes:
    """A hash of all that decides what a pack holds: the sources that make it, LLVM, Python's marshal format, guest and host.

    With the cache's `folder` the sources are read only if one of them has changed since they were last.
    """
    import sys

    return digest(name.encode(), str(level).encode(), os.uname().machine.encode(), str(marshal.version).encode(),
                  sys.implementation.cache_tag.encode(), _llvm(), sources(folder))


def sources(folder: str = "") -> bytes:
    """A hash of the sources that packs are made by."""
    return hashed(Store(os.path.join(folder, "starts")) if folder else None, sources_key(), _read)


def _read(stamps: list[tuple[str, Stamp]]) -> list[bytes]:
    return [part for house in _SOURCES for file in sorted(_files(os.path.join(_ROOT, *house.split("/")), stamps))
            for part in (file[len(_ROOT) + 1:].encode(), content(file, stamps))]


def sources_key() -> bytes:
    """What the hash of the sources is kept under: where they are. It may be another version's by tomorrow."""
    return digest(b"sources", os.fsencode(_ROOT), *(house.encode() for house in _SOURCES))


_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_SOURCES = ("cpu", "semantics", "isa", "engines/llvm", "engines/hosts", "engines/native", "engines/stencil", "engines/translator",
            "engines/region", "engines/runtime", "engines/code",
            "memory")


def _files(folder: str, stamps: list[tuple[str, Stamp]]) -> list[str]:
    """The sources in a folder and those below; `stamps` gets those of the folders, which change when files come and go."""
    stamps.append((folder, stamp(folder)))
    found = []
    for entry in os.scandir(folder):
        if entry.name.endswith(".py"):
            found.append(entry.path)
        elif entry.is_dir() and entry.name != "__pycache__":
            found += _files(entry.path, stamps)
    return found


def _llvm() -> bytes:
    """The version of llvmlite that is installed, found without importing it; nothing if it is not there."""
    import sys

    # Beside it, nearly always: to read all folders takes longer.
    for folders in [path for path in sys.path if os.path.isdir(os.path.join(path, "llvmlite"))], sys.path:
        for folder in folders:
            try:
                for name in os.listdir(folder or "."):
                    if name.startswith("llvmlite-") and name.endswith(".dist-info"):
                        return name.encode()
            except OSError:
                continue
    return b""


def load(name: str, folder: str, level: int, progress: Callable[[int, int], None] | None = None) -> Pack:
    """The pack kept under `folder`, made first if it is not there. Without a usable folder it is made and not kept."""
    key = made_from(name, level, folder)
    store = Store(os.path.join(folder, "packs"), maker=key)
    head_key, body_key = digest(key, b"head"), digest(key, b"book")
    kept = store.load(head_key)
    body: bytes | None = None
    if kept is not None and store.has(body_key):
        head = marshal.loads(kept)
    else:
        head, body = build(name, level, progress)
        head["made_from"] = key
        store.save(body_key, [body], "book")
        store.save(head_key, [marshal.dumps(head)], "head")

    def read() -> bytes:
        if body is not None:
            return body
        data = store.load(body_key)
        return bytes(data) if data is not None else build(name, level, None)[1]

    return Pack(name, head, read)
