"""LLVM's workers: many modules give the same objects as one after another, also where there can be no workers."""

from __future__ import annotations

import concurrent.futures
import os
from typing import Any

import pytest

from xenos.engines.hosts import host
from xenos.engines.llvm.compiler import Compiler

MODULES = [f"define i64 @f{n}(i64 %x) {{\n %y = mul i64 %x, {n}\n ret i64 %y\n}}\n" for n in (3, 5, 7)]


def compiler() -> Compiler:
    target = host()
    cpu, features = target.CPUS[1]
    return Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)


def test_many_are_the_same_as_one_by_one() -> None:
    made = compiler()
    assert [one.text for one in made.compile_many(MODULES)] == [made.compile(module).text for module in MODULES]


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), ImportError("no semaphores"), NotImplementedError()])
def test_without_semaphores_it_is_done_here(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """As where /dev/shm cannot be written, which is where they would be."""
    tried = []

    def fail(*_: Any, **__: Any) -> None:
        tried.append(True)
        raise error

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", fail)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    made = compiler()
    assert [one.text for one in made.compile_many(MODULES)] == [made.compile(module).text for module in MODULES]
    assert tried
