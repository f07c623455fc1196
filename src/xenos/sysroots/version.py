"""Comparing versions of Debian packages, as deb-version(7) orders them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest

_Part = tuple[tuple[int, ...], int]
_END: _Part = ((0,), 0)
_PARTS = re.compile(r"(\D*)(\d*)")
_TESTS = {
    "<<": (-1,), "<": (-1, 0), "<=": (-1, 0), "=": (0,), ">=": (0, 1), ">": (0, 1), ">>": (1,),
}


def compare(one: str, other: str) -> int:
    """-1, 0 or 1, as `one` is earlier than, the same as or later than `other`."""
    for mine, theirs in zip(_split(one), _split(other), strict=True):
        for left, right in zip_longest(mine, theirs, fillvalue=_END):
            if left != right:
                return -1 if left < right else 1
    return 0


def satisfies(version: str, relation: str, wanted: str) -> bool:
    """Whether `version` stands in that relation of a dependency (`>=`, `<<`, ...) to `wanted`."""
    return compare(version, wanted) in _TESTS[relation]


@lru_cache(maxsize=100_000)
def _split(version: str) -> tuple[tuple[_Part, ...], tuple[_Part, ...], tuple[_Part, ...]]:
    """Epoch, upstream version and revision, each as pairs of what is no digit and a number."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, "0"
    return _parts(epoch), _parts(upstream), _parts(revision)


def _parts(text: str) -> tuple[_Part, ...]:
    return tuple((_order(word), int(number or 0)) for word, number in _PARTS.findall(text))


def _order(word: str) -> tuple[int, ...]:
    # A tilde comes before everything, even the end; letters before what is no letter.
    return (*(-1 if sign == "~" else ord(sign) if sign.isalpha() else ord(sign) + 256 for sign in word), 0)
