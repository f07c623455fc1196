"""The small part of Python: native code does what Python does, and what is not of that part is refused by line."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from xenos.engines.code.arena import Arena
from xenos.engines.hosts import host, host_runtime
from xenos.engines.llvm.compiler import Compiler
from xenos.engines.native.image import load, make
from xenos.engines.native.language import translate
from xenos.engines.native.words import call, i32, i64, publish, u8, u16, u32
from xenos.errors import EngineError

SEVEN = 7


def arithmetic(a: int, b: int) -> int:
    return (a + b) * SEVEN - (a & b | a ^ b) + (a << 3) - (b >> 2) + -a + ~b


def wraps(a: int, b: int) -> int:
    return a * 0x9E3779B97F4A7C15 + b * b


def choices(a: int, b: int) -> int:
    found = 1 if a < b else 2 if a == b else 3
    if a > 10 and not b <= 3 or a == b:
        found += 10
    elif a != 0 and (b >= 5 or a < 0):
        found += 20
    else:
        found += 30
    return found + (a < b) + (a > 0 and b > 0)


def loops(a: int, b: int) -> int:
    total = left = 0
    for i in range(a & 15):
        if i == 3:
            continue
        for k in range(i, b & 15):
            total += i * k
            if total > 500:
                break
    first, second = total, left
    first, second = second, first
    while True:
        left += 1
        total -= left
        if total < 0:
            break
    return total * 1000 + left + first - second


def memory(a: int, b: int) -> int:
    room = i64[a]
    u8[room + 1] = b
    u16[room + 3] = b
    u32[room + 5] = b
    u32[room + 5] ^= 0x8000_0001
    i64[room + 9] = b
    i32[room + 17] = b
    publish()
    return u8[room + 1] + u16[room + 3] + u32[room + 5] + i64[room + 9] + i32[room + 17] + i32[room + 5]


def outward(a: int, b: int) -> int:
    call(i64[a], b, 5)
    return deeper(b, 3)


def deeper(a: int, left: int) -> int:
    if left == 0:
        return a
    return deeper(a + left, left - 1)


FUNCTIONS: list[Callable[[int, int], int]] = [arithmetic, wraps, choices, loops, memory, outward]


@pytest.fixture(scope="module")
def native() -> Iterator[dict[str, Callable[..., int]]]:
    target = host()
    cpu, features = target.CPUS[1]
    compiler = Compiler(target.TRIPLE, cpu, features, target.RUNTIME_MODEL)
    of_that_part = ModuleType(__name__)     # without the tests
    vars(of_that_part).update({f.__name__: f for f in (*FUNCTIONS, deeper)})
    image = make(compiler, [of_that_part], {f.__name__: 2 for f in FUNCTIONS}, host_runtime().settle)
    arena = Arena(1 << 20)
    yield load(image, arena)[1]
    arena.close()


def signed(number: int) -> int:
    return (number + (1 << 63) & (1 << 64) - 1) - (1 << 63)


@pytest.mark.parametrize("function", [arithmetic, wraps, choices, loops])
def test_native_code_does_what_python_does(native: dict[str, Callable[..., int]], function: FunctionType) -> None:
    for a in (-9, -1, 0, 1, 4, 11, 13, 1 << 40, -(1 << 50)):
        for b in (-7, 0, 1, 3, 5, 12, 1 << 33, -(1 << 62)):
            assert native[function.__name__](a, b) == signed(function(a, b)), (a, b)


@pytest.mark.parametrize("value", [0, 1, -1, 0x8000_0000, 0x1234_5678_9ABC_DEF0, -0x8000, 255, 256])
def test_memory(native: dict[str, Callable[..., int]], value: int) -> None:
    rooms = [(ctypes.c_uint8 * 32)() for _ in range(2)]
    made = []
    for function, room in zip((native["memory"], memory), rooms, strict=True):
        where = ctypes.c_int64(ctypes.addressof(room))
        made.append(signed(function(ctypes.addressof(where), value)))
    assert made[0] == made[1] and bytes(rooms[0]) == bytes(rooms[1])


def test_calls_of_c(native: dict[str, Callable[..., int]]) -> None:
    seen: list[tuple[int, int]] = []
    function = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64)(lambda a, b: seen.append((a, b)))
    where = ctypes.c_void_p(ctypes.cast(function, ctypes.c_void_p).value)
    for run in (native["outward"], outward):
        assert run(ctypes.addressof(where), 9) == 15
    assert seen == [(9, 5)] * 2


REFUSED = ["a / b", "a // b", "[a]", "'x'", "len(a)", "a.real", "1.5", "unknown", "a < b < 3", "lambda: a", "u8", "deeper(a)",
           "deeper(a, left=b)", "names[a]"]


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_by_its_line(text: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "strange.py").write_text(
        f"from engines.test_native_language import deeper\nfrom xenos.engines.native.words import u8\nnames = [1]\n\n"
        f"def strange(a: int, b: int) -> int:\n    a = a + 1\n    return {text}\n")
    monkeypatch.syspath_prepend(tmp_path)
    import strange  # type: ignore[import-not-found]

    try:
        with pytest.raises(EngineError, match="strange, line 7: "):
            translate([strange], {"strange"})
    finally:
        del sys.modules["strange"]


def test_two_functions_of_one_name_are_refused() -> None:
    one, other = ModuleType(__name__), ModuleType(__name__)
    one.deeper = other.deeper = deeper  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="deeper"):
        translate([one, other], set())
