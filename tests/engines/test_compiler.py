"""Many modules give the same objects as one after another, also where there can be no workers; with llvmlite's Python or ours."""

from __future__ import annotations

import concurrent.futures
import os
from typing import Any

import pytest

from xenos.engines.hosts import host
from xenos.engines.llvm import library
from xenos.engines.llvm.compiler import Compiler
from xenos.engines.llvm.workers import Workers
from xenos.errors import EngineError

MODULES = [f"define i64 @f{n}(i64 %x) {{\n %y = mul i64 %x, {n}\n ret i64 %y\n}}\n" for n in (3, 5, 7)]


def compiler() -> Compiler:
    target = host()
    cpu, features = target.CPUS[1]
    return Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)


def same() -> bool:
    """Whether workers give what is compiled here, in the order in which it was begun."""
    made = compiler()
    with Workers() as workers:
        begun = [made.begin(workers, module) for module in MODULES]
        return [done().text for done in begun] == [made.compile(module).text for module in MODULES]


def test_many_are_the_same_as_one_by_one() -> None:
    assert same()


def test_with_one_processor_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.delattr(concurrent.futures, "ProcessPoolExecutor")
    assert same()


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), ImportError("no semaphores"), NotImplementedError()])
def test_without_semaphores_it_is_done_here(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """As where /dev/shm cannot be written, which is where they would be."""
    tried = []

    def fail(*_: Any, **__: Any) -> None:
        tried.append(True)
        raise error

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", fail)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert same()
    assert tried


# Both loads are made elsewhere if they fail, and half of each is wanted where their ways join.
BROKEN = """
define i32 @f(ptr %p, i1 %c) {
 br i1 %c, label %one, label %other
one:
 %x = callbr i64 asm sideeffect "", "=r,r,!i"(ptr %p) to label %both [label %slow]
other:
 %y = callbr i64 asm sideeffect "", "=r,r,!i"(ptr %p) to label %both [label %slow]
both:
 %v = phi i64 [ %x, %one ], [ %y, %other ]
 %t = trunc i64 %v to i32
 ret i32 %t
slow:
 ret i32 -1
}
"""


@pytest.mark.parametrize("optimize", range(1, 4))
def test_what_passes_break_is_refused(optimize: int) -> None:
    """LLVM 22.1 makes IR of this in which a value is used before it is there, and would generate code from it."""
    try:
        made = compiler()._optimized(BROKEN, optimize)
    except EngineError:
        return
    made.verify()


@pytest.mark.parametrize("optimize", range(4))
def test_our_calls_of_llvm_are_llvmlites(monkeypatch: pytest.MonkeyPatch, optimize: int) -> None:
    """The same objects, the same text, the same complaints."""
    assert isinstance(library.binding(), library.Library)
    ours = compiler()
    monkeypatch.setattr(library, "_KNOWN", ())
    theirs = compiler()
    assert not isinstance(library.binding(), library.Library)
    for module in MODULES:
        assert ours.compile(module, optimize).text == theirs.compile(module, optimize).text
        assert ours.assembly(module) == theirs.assembly(module)
    said = []
    for made in (ours, theirs):
        with pytest.raises(EngineError) as error:
            made.compile("define i64 @f(", optimize)
        said.append(str(error.value))
    assert said[0].startswith("LLVM refuses the IR: ")
    with pytest.raises(EngineError, match="Instruction does not dominate"):
        ours.compile("define i64 @f() {\n %x = add i64 %y, 1\n %y = add i64 %x, 1\n ret i64 %x\n}\n", optimize)


def test_what_llvm_refuses_comes_back_as_an_error() -> None:
    with Workers() as workers, pytest.raises(EngineError, match="refuses"):
        compiler().begin(workers, "define nonsense")()
