"""Writes a C file of so many lines, each time the same: many functions that are all different, none of them hot for a compiler."""

from __future__ import annotations

import random
from pathlib import Path

TYPES = ("int", "unsigned", "long", "unsigned long", "short", "unsigned char", "double", "float")
BINARY = ("+", "-", "*", "&", "|", "^", "<<", ">>", "/", "%")
COMPARED = ("<", ">", "==", "!=", "<=", ">=")


def write(path: Path, lines: int) -> None:
    """Write the file."""
    chance = random.Random(lines)
    written = ["struct node { struct node *next; long key; double weight; unsigned char tag[8]; };",
               "static long table[256];", "static struct node nodes[64];"]
    number = 0
    while len(written) < lines - 100:
        written += _function(chance, number)
        number += 1
    calls = " + ".join(f"f{one}(n, {one}, nodes + {one % 64})" for one in range(number))
    written += ["long total(long n)", "{", f"    return {calls};", "}"]
    written += [f"long more{one};" for one in range(lines - len(written))]
    path.write_text("\n".join(written) + "\n")


def _function(chance: random.Random, number: int) -> list[str]:
    kinds = [chance.choice(TYPES) for _ in range(4)]
    body = [f"static __attribute__((noinline)) long f{number}(long a, long b, struct node *p)", "{"]
    body += [f"    {kind} v{index} = ({kind})({chance.choice('ab')} + {chance.randrange(1000)});"
             for index, kind in enumerate(kinds)]
    for _ in range(chance.randrange(4, 12)):
        body += _statement(chance, kinds)
    called = f" + f{chance.randrange(number)}(a >> 1, b, p->next)" if number and chance.random() < 0.3 else ""
    return [*body, f"    return (long)v0 + (long)v1 * 3 + (long)v2 - (long)v3{called};", "}", ""]


def _statement(chance: random.Random, kinds: list[str]) -> list[str]:
    target, source = chance.randrange(4), chance.randrange(4)
    value = _value(chance, kinds, source)
    what = chance.randrange(6)
    if what == 0:
        return [f"    if ((long)v{source} {chance.choice(COMPARED)} b)", f"        v{target} = {value};", "    else",
                f"        table[(unsigned char)v{source}] += a;"]
    if what == 1:
        return [f"    for (int i = 0; i < {chance.randrange(3, 40)}; i++)", f"        v{target} += {value} + i;"]
    if what == 2:
        return [f"    while (p && p->key {chance.choice(COMPARED)} a) {{", f"        p->weight += {value};", "        p = p->next;",
                "    }"]
    if what == 3:
        cases = [f"    case {case}: v{target} = {_value(chance, kinds, source)}; break;" for case in range(chance.randrange(3, 9))]
        return [f"    switch ((unsigned)a % {len(cases) + 2}) {{", *cases, f"    default: v{target} += 1;", "    }"]
    if what == 4:
        return [f"    p->tag[{chance.randrange(8)}] = (unsigned char)({value});",
                f"    table[(unsigned char)b] ^= (long)v{source};"]
    return [f"    v{target} = {value};"]


def _value(chance: random.Random, kinds: list[str], source: int) -> str:
    operator = chance.choice(BINARY)
    constant = chance.randrange(1, 7) if operator in ("<<", ">>") else chance.randrange(1, 5000)
    if operator in ("+", "-", "*", "/") and kinds[source] in ("double", "float"):
        return f"(v{source} {operator} {constant}.5)"
    return f"((long)v{source} {operator} {constant} + table[{chance.randrange(256)}])"
