"""Where an errand runs: namespaces of its own under each engine, so that nothing that it starts outlives it.

Processes have the same numbers in all of them, and programs call their files by these: each errand has a folder for those.
qemu-user runs one program, and gives what that executes to the host's kernel. So it gets what its users give it: a root
made of the sysroot, and a binfmt_misc of its own, which kernels have per user namespace since 6.7. Xenos needs neither.
In both, user 1000 runs the errand: some programs refuse root.
"""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contenders import cache_folder, xenos_command
from guests.runner import qemu

USER = 1000
# e_ident of a 64-bit little-endian ELF file, e_type EXEC or DYN, e_machine; and what of it counts (binfmt_misc).
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_SPACES = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--mount-proc", "--ipc", "--fork", "--kill-child"]
_KEPT = ("XENOS_CACHE", "XDG_CACHE_HOME", "XENOS_EAGER")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/tmp"}


def guests() -> Path:
    """The system in which errands run."""
    return Path(os.environ.get("XENOS_TEST_GUESTS") or cache_folder() / "sysroots" / "guests")


def missing() -> str:
    """Why the matrix cannot run, or an empty string."""
    if not (guests() / "usr" / "bin" / "stress-ng").exists():
        return f"no guest system in {guests()}: scripts/prepare-tests guests fetches it"
    return missing_namespaces()


@functools.cache
def missing_namespaces() -> str:
    """Why there can be no rooms on this host, or an empty string."""
    if not shutil.which("unshare"):
        return "unshare of util-linux is missing"
    done = subprocess.run([*_SPACES, "true"], capture_output=True)
    return "this host allows no user namespaces: " + done.stderr.decode(errors="replace").strip() if done.returncode else ""


@functools.cache
def missing_qemu() -> str:
    """Why qemu cannot be compared with, or an empty string."""
    if qemu() is None:
        return "qemu-riscv64 is missing"
    with scratch() as folder:
        done = subprocess.run(command("qemu", folder, "true"), capture_output=True)
    return done.stderr.decode(errors="replace").strip() if done.returncode else ""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one errand, beside one for its temporary files. Paths are short, for there will be sockets in them."""
    with tempfile.TemporaryDirectory(prefix="xg") as top:
        folder = Path(top) / "errand"
        folder.mkdir()
        _temporary(folder).mkdir()
        yield folder


def _temporary(folder: Path) -> Path:
    return folder.with_name("tmp")


def furnish() -> None:
    """Users and hosts of the guest system, which programs look up; the host's may lack them."""
    etc = guests() / "etc"
    files = {"passwd": f"root:x:0:0:root:/tmp:/bin/bash\nguest:x:{USER}:{USER}:guest:/tmp:/bin/bash\n"
                       "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
             "group": f"root:x:0:\nguest:x:{USER}:\nnogroup:x:65534:\n",
             "hosts": "127.0.0.1 localhost\n::1 localhost\n"}
    for name, text in files.items():
        if not (etc / name).exists():
            (etc / f"{name}.new").write_text(text)
            (etc / f"{name}.new").rename(etc / name)


def command(engine: str, folder: Path, script: str, system: Path | None = None) -> list[str]:
    """The command that runs `script` by the bash of the guest system, in `folder`. `engine` is xenos, xenos-KIND with an engine of
    Xenos's that is not its default, qemu or native."""
    system = system or guests()
    user = f"unshare --user --map-user={USER} --map-group={USER}"
    plain = shlex.join(f"{name}={value}" for name, value in _ENVIRONMENT.items())
    words = ["bash", "-c", script]
    own, _, kind = engine.partition("-")
    if own == "xenos":
        kept = shlex.join([f"TMPDIR={_temporary(folder)}", *(f"{name}={os.environ[name]}" for name in _KEPT if name in os.environ)])
        cache = "" if "XENOS_CACHE" in os.environ else f"XENOS_CACHE={shlex.quote(str(cache_folder()))}"
        run = shlex.join([*xenos_command(), "run", *(["--engine", kind] if kind else []), "--sysroot", str(system), *words])
        inner = f"cd {shlex.quote(str(folder))} && exec {user} env -i {plain} {kept} {cache} {run}"
    elif engine == "qemu":
        inner = _in_root(folder, f"""
            mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
            printf %s ':guest:M::{_MAGIC}:{_MASK}:{qemu()}:F' >/proc/sys/fs/binfmt_misc/register
        """, system, user, plain, words)
    else:
        inner = _in_root(folder, "", guests().with_name("guests-native"), user, plain, words)
    return [*_SPACES, shutil.which("sh") or "/bin/sh", "-c", inner]


def _in_root(folder: Path, before: str, system: Path, user: str, environment: str, words: list[str]) -> str:
    """A shell script that runs `words` in a root of its own: the system, what it writes there forgotten at the end."""
    inside = "/tmp/errand"
    return f"""
        set -e
        {before}
        place={shlex.quote(str(folder))}.root
        mkdir "$place"
        mount -t tmpfs none "$place"
        mkdir "$place/upper" "$place/work" "$place/root"
        mount -t overlay -o lowerdir={shlex.quote(str(system))},upperdir="$place/upper",workdir="$place/work" none "$place/root"
        mkdir -p "$place/root/tmp" "$place/root/run"
        chmod 1777 "$place/root/tmp"
        mkdir "$place/root{inside}"
        mount --bind {shlex.quote(str(folder))} "$place/root{inside}"
        for name in dev proc sys; do mkdir -p "$place/root/$name"; mount --rbind "/$name" "$place/root/$name"; done
        exec {user} --root="$place/root" --wd={inside} /usr/bin/env -i {environment} {shlex.join(words)}
    """
