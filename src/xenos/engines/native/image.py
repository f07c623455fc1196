"""Native code made of such functions: compiled once, kept as position-independent bytes, loaded into the arena."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from xenos.engines.code.arena import Arena
    from xenos.engines.llvm.compiler import Compiler

Made = tuple[bytes, dict[str, tuple[int, int]]]   # code; functions: where they begin, how many arguments they take


def make(compiler: Compiler, modules: list[ModuleType], exported: dict[str, int], settle: Callable[..., None]) -> Made:
    """Compile modules to one image. `exported` gives the number of arguments of those to be called; EngineError if it
    refers to anything outside itself. `settle` is the host's way to fill in a reference."""
    from xenos.engines.native.language import translate
    from xenos.errors import EngineError

    made = compiler.compile(translate(modules, set(exported)), optimize=1)
    code = bytearray(made.text)
    for relocation in made.text_relocations:
        target = 0 if relocation.symbol == ".text" else made.offsets.get(relocation.symbol)
        if target is None:
            raise EngineError(f"native code refers to {relocation.symbol}, which it does not have")
        settle(code, relocation, target)
    return bytes(code), {name: (made.offsets[name], arguments) for name, arguments in exported.items()}


def load(image: Made, arena: Arena) -> tuple[tuple[int, int], dict[str, Callable[..., int]]]:
    """Put an image into the arena: where it lies there (start, size), and its functions, which take and give numbers of 64
    bits, and hold Python's lock meanwhile."""
    code, functions = image
    start = arena.allocate(len(code))
    arena.view[start:start + len(code)] = code
    if arena.flush is not None:
        arena.flush(arena.base + start, arena.base + start + len(code))
    word = ctypes.c_int64
    return (start, len(code)), {name: ctypes.PYFUNCTYPE(word, *[word] * arguments)(arena.base + start + offset)
                                for name, (offset, arguments) in functions.items()}
