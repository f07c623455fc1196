"""What is run: real programs with arguments and input, and the files they find in their folder."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"
WORKLOADS = Path(__file__).parents[2] / "bench" / "workloads"


@dataclass(frozen=True)
class Case:
    """One run of a program of the sysroot."""

    name: str
    program: str                        # in the sysroot's /usr/bin
    arguments: tuple[str, ...]
    stdin: bytes = b""
    short: bool = False                 # few enough instructions for the reference engine
    only_status: bool = False           # its output tells the time it took
    files: tuple[str, ...] = ()         # that it makes, compared as well
    needs: tuple[str, ...] = ()         # files of PREPARED that another program of the sysroot makes first


def write_inputs(folder: Path) -> None:
    """The files that cases read: a text of 4000 lines, a table, bytes, and the scripts."""
    source = random.Random(20010203)
    words = [bytes(source.choice(b"abcdefghijklmnopqrstuvwxyz") for _ in range(source.randint(2, 9))).decode()
             for _ in range(300)]
    lines = [" ".join(source.choices(words, k=source.randint(1, 12))) for _ in range(4000)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n")
    rows = [f"{i},{source.choice(words)},{source.randint(0, 9999)},{source.random():.6f}" for i in range(2000)]
    (folder / "table.csv").write_text("\n".join(["id,name,amount,share", *rows]) + "\n")
    (folder / "bytes.bin").write_bytes(source.randbytes(200_000) + bytes(100_000) + (folder / "text.txt").read_bytes())
    (folder / "mixed.sql").write_text((WORKLOADS / "mixed.sql").read_text().replace(":n", "3000"))
    for script in (*SCRIPTS.iterdir(), WORKLOADS / "mixed.py", WORKLOADS / "mixed.lua"):
        (folder / script.name).write_bytes(script.read_bytes())


# Files that are made by a guest program under qemu, once: name -> arguments for openssl.
PREPARED = {"key.pem": ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "key.pem")}

_KEY, _IV = hashlib.sha256(b"key").hexdigest(), hashlib.md5(b"iv").hexdigest()

CASES = (
    # The shells.
    Case("busybox-ash-script", "busybox", ("ash", "applets.ash")),
    Case("busybox-echo", "busybox", ("echo", "hello", "world"), short=True),
    Case("busybox-awk", "busybox", ("awk", "BEGIN { while (i < 200) s += i * i++; print s, s / 7 }"), short=True),
    Case("busybox-sha256sum", "busybox", ("sha256sum", "text.txt", "bytes.bin")),
    Case("bash-script", "bash", ("script.bash",)),
    Case("bash-arithmetic", "bash", ("-c", 'echo $((6 * 7)) "${BASH_VERSION%%.*}"; exit 5'), short=True),
    # coreutils, each a program of its own.
    Case("ls", "ls", ("-1", "--sort=size")),
    Case("cat", "cat", ("table.csv", "-"), b"from standard input\n", short=True),
    Case("sort", "sort", ("-t,", "-k3,3n", "-k2,2", "table.csv")),
    Case("sort-parallel-off", "sort", ("--parallel=1", "-r", "text.txt")),
    Case("uniq", "uniq", ("-c",), b"a\na\nb\nb\nb\na\n", short=True),
    Case("wc", "wc", ("text.txt", "table.csv", "bytes.bin")),
    Case("cut", "cut", ("-d,", "-f2,4", "table.csv")),
    Case("tr", "tr", ("a-m", "n-z"), b"a stranger is a guest\n", short=True),
    Case("head-tail", "tail", ("-c", "5000", "bytes.bin")),
    Case("od", "od", ("-A", "x", "-t", "x1z", "-N", "4096", "bytes.bin")),
    Case("od-floats", "od", ("-t", "f8", "-N", "800", "bytes.bin")),
    Case("sha512sum", "sha512sum", ("bytes.bin",)),
    Case("md5sum", "md5sum", ("bytes.bin",)),
    Case("b2sum", "b2sum", ("bytes.bin",)),
    Case("cksum", "cksum", ("bytes.bin",)),
    Case("base64", "base64", ("bytes.bin",)),
    Case("factor", "factor", ("1234567890123456789", "18446744073709551557")),
    Case("seq", "seq", ("-f", "%.3f", "0", "0.37", "500")),
    Case("numfmt", "numfmt", ("--to=iec", "1", "2048", "123456789"), short=True),
    Case("date", "date", ("-u", "-d", "2001-02-03 04:05:06 UTC 40 days", "+%A %F %T %s"), short=True),
    Case("printf", "printf", (r"%s %d %x %.3e\n", "text", "42", "255", "12345.678"), short=True),
    Case("expr", "expr", ("length", "stranger"), short=True),
    Case("test-false", "test", ("1", "-gt", "2"), short=True),
    Case("env", "env", ("-i", "NAME=value", "printenv"), short=True),
    Case("stat", "stat", ("-c", "%s %F", "text.txt", "."), short=True),
    Case("missing-file", "cat", ("no-such-file",), short=True),
    Case("split", "split", ("-l", "500", "text.txt", "part."), files=("part.aa", "part.ah")),
    Case("dd", "dd", ("if=bytes.bin", "of=out.bin", "bs=1000", "skip=3", "count=7", "status=none"), files=("out.bin",)),
    Case("shuf", "shuf", ("--random-source=bytes.bin", "-n", "20", "text.txt")),
    Case("join", "join", ("-t,", "table.csv", "table.csv")),
    Case("uname", "uname", ("-s", "-m"), short=True),
    # Text and pattern programs.
    Case("gawk-words", "gawk", (
        "{ for (i = 1; i <= NF; i++) n[$i]++ } END { PROCINFO[\"sorted_in\"] = \"@ind_str_asc\";"
        " for (w in n) printf \"%s %d %.4f\\n\", w, n[w], log(n[w]) }", "text.txt")),
    Case("gawk-numbers", "gawk", (
        "-F,", "NR > 1 { s += $3 * $4; q += $4 ^ 2 } END { printf \"%.6f %.9f\\n\", s, sqrt(q) }", "table.csv")),
    Case("gawk-short", "gawk", ("BEGIN { print length(\"stranger\"), toupper(\"guest\"), 2 ^ 0.5 }",), short=True),
    Case("sed-swap", "sed", ("-E", r"s/([a-z]+) ([a-z]+)/\2 \1/g; /^a/d; $!N; P; D", "text.txt")),
    Case("sed-short", "sed", ("-n", "s/guest/host/p"), b"a guest\nanother\n", short=True),
    Case("grep", "grep", ("-nE", r"(a[b-f]+|z.*q)\b", "text.txt")),
    Case("grep-back", "grep", ("-cE", r"([a-z]{2}).*\1", "text.txt")),
    Case("grep-none", "grep", ("-F", "NOT THERE", "text.txt"), short=True),
    Case("perl", "perl", ("script.pl", "text.txt")),
    Case("perl-short", "perl", ("-e", 'print join(",", map { $_ ** 2 } 1 .. 9), "\\n"; exit 3'), short=True),
    # Interpreters and data bases.
    Case("lua", "lua5.4", ("mixed.lua", "1")),
    Case("lua-short", "lua5.4", ("-e", "print(1 // 2, 7 % -3, 1 / 3, #'guest', string.rep('ab', 3))"), short=True),
    Case("sqlite3", "sqlite3", (":memory:", ".read mixed.sql")),
    Case("sqlite3-file", "sqlite3", (
        "data.db", ".mode csv", ".import table.csv t",
        "SELECT name, sum(amount), avg(share) FROM t GROUP BY name ORDER BY 2 LIMIT 9", "PRAGMA integrity_check")),
    Case("bc-pi", "bc", ("-lq",), b"scale = 120\n4 * a(1)\ne(1)\n2 ^ 521 - 1\n"),
    Case("bc-short", "bc", ("-q",), b"17 * 3 % 7\n", short=True),
    # python3 and its modules in C.
    Case("python3-print", "python3", ("-c", "print(1)")),
    Case("python3-json", "python3", ("library.py", "json")),
    Case("python3-re", "python3", ("library.py", "re")),
    Case("python3-hashlib", "python3", ("library.py", "hashlib")),
    Case("python3-decimal", "python3", ("library.py", "decimal")),
    Case("python3-floats", "python3", ("library.py", "floats")),
    Case("python3-status", "python3", ("-S", "-c", "import sys; sys.exit(42)")),
    Case("python3-workload", "python3", ("-S", "mixed.py", "12")),      # five seconds under qemu
    # Cryptography and compression.
    Case("openssl-sha256", "openssl", ("dgst", "-sha256", "bytes.bin")),
    Case("openssl-aes", "openssl", (
        "enc", "-aes-256-cbc", "-K", _KEY, "-iv", _IV, "-in", "bytes.bin", "-out", "out.bin"), files=("out.bin",)),
    Case("openssl-chacha", "openssl", ("enc", "-chacha20", "-K", _KEY, "-iv", _IV, "-in", "text.txt", "-a")),
    Case("openssl-rsa", "openssl", ("dgst", "-sha256", "-sign", "key.pem", "-hex", "text.txt"), needs=("key.pem",)),
    Case("openssl-prime", "openssl", ("prime", "170141183460469231731687303715884105727")),
    Case("openssl-speed", "openssl", ("speed", "-seconds", "1", "-bytes", "1024", "sha256"), only_status=True),
    Case("zstd", "zstd", ("-q", "-c", "-9", "--single-thread", "--no-asyncio", "bytes.bin")),
    Case("zstd-check", "zstd", ("-q", "--single-thread", "--no-asyncio", "-b3", "-i0", "text.txt"), only_status=True),
    Case("xz", "xz", ("-c", "-T1", "-6", "text.txt")),
    Case("xz-short", "xz", ("-c", "-T1", "-0"), b"guest " * 50, short=True),
)
