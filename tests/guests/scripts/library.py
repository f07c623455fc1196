"""Modules of Python that are written in C, each by the name given as the argument."""

import sys


def use_json():
    import json

    value = {"none": None, "list": [1, 2.5, -3e300, True], "text": "ξένος \u0001 \"quoted\"", "deep": [[[[{}]]]],
             "rows": [{"id": i, "share": i / 7, "name": f"name {i}"} for i in range(500)]}
    text = json.dumps(value, sort_keys=True, indent=1)
    again = json.loads(text)
    print(len(text), again == value, text[:200])
    try:
        json.loads('{"a": [1, 2,, 3]}')
    except json.JSONDecodeError as error:
        print(error)


def use_re():
    import re

    text = open("text.txt").read()
    print(len(re.findall(r"\b([a-z])[a-z]*\1\b", text)))
    print(re.sub(r"(?P<first>\w+) (?P<second>\w+)", r"\g<second>-\g<first>", text)[:120])
    print(sorted({match[0] for match in re.finditer(r"(?<=a)b+(?!c)\w{2,4}", text)})[:12])
    print(re.fullmatch(r"(a?){20}a{20}", "a" * 20) is not None, re.split(r"[aeiou]+", text[:60]))


def use_hashlib():
    import hashlib
    import zlib

    data = open("bytes.bin", "rb").read()
    for name in ("md5", "sha1", "sha256", "sha3_256", "sha512", "blake2b", "blake2s"):
        print(name, hashlib.new(name, data).hexdigest())
    print(hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 2000).hex())
    packed = zlib.compress(data, 6)
    print(len(packed), zlib.crc32(packed), zlib.decompress(packed) == data)


def use_decimal():
    from decimal import ROUND_HALF_EVEN, Decimal, getcontext

    getcontext().prec = 150
    print(Decimal(2).sqrt(), Decimal(1).exp())
    term, total, k = Decimal(3), Decimal(3), 0
    while term.adjusted() > -148:
        k += 1
        term = term * (2 * k - 1) ** 2 / (4 * (2 * k) * (2 * k + 1)) * (2 * k + 1) / (2 * k + 1)
        total += term
    print(total)
    print(Decimal("2.675").quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN), Decimal(10) ** -400, Decimal("NaN") + 1)


def use_floats():
    import cmath
    import math
    import statistics

    values = [math.sin(i) * math.exp(i / 50) for i in range(500)]
    print(math.fsum(values), sum(values), statistics.stdev(values), math.hypot(*values[:9]))
    print([f(0.7) for f in (math.tan, math.log2, math.gamma, math.erf, math.cbrt, math.asinh)])
    print(cmath.exp(1j * math.pi), 1e308 * 10, -(1e308 * 10), float("nan"), 5e-324 / 2, 0.1 + 0.2)
    print([round(x, 2) for x in (2.675, 1.005, -0.5, 1e15 + 0.3)], (0.1).hex(), math.nextafter(1, 2), math.ulp(1e300))
    print(int(1e23), 2 ** 0.5, 7 // -2.0, 7 % -2.5, divmod(-7.5, 2), float.fromhex("0x1.8p-1074"))


{"json": use_json, "re": use_re, "hashlib": use_hashlib, "decimal": use_decimal, "floats": use_floats}[sys.argv[1]]()
