"""What these tests are made with: packages and a signed archive built here, and a server that can be made to fail."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ISA = "riscv64"
NO_GPG = "" if shutil.which("gpg") and shutil.which("gpgv") else "gpg and gpgv are missing"

Entry = tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"content\n", mode: int = 0o644) -> Entry:
    """A regular file of a package."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), mode, 1_000_000_000
    return entry, content


def other(name: str, kind: bytes, target: str = "", mode: int = 0o755) -> Entry:
    """A folder, a link, a device: `kind` is one of tarfile's."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, target, mode
    return entry


def tar(entries: Iterable[Entry]) -> bytes:
    """A tar archive, compressed as Debian does."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz", format=tarfile.GNU_FORMAT, preset=0) as archive:
        for entry in entries:
            if isinstance(entry, tuple):
                archive.addfile(entry[0], io.BytesIO(entry[1]))
            else:
                archive.addfile(entry)
    return out.getvalue()


def deb(entries: Iterable[Entry], postinst: str = "") -> bytes:
    """A package (deb(5)) with these files."""
    control = [file("./control", b"Package: x\n")] + ([file("./postinst", postinst.encode())] if postinst else [])
    content = b"!<arch>\n"
    for name, data in (("debian-binary", b"2.0\n"), ("control.tar.xz", tar(control)), ("data.tar.xz", tar(entries))):
        content += f"{name:<16}{0:<12}{0:<6}{0:<6}{0o100644:<8o}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return content


@dataclass
class Made:
    """A package of the archive: its files, and what its stanza says beside what follows from them."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    version: str = "1.0-1"
    postinst: str = ""


@functools.cache
def _keys() -> Path:
    """A folder of gpg with two keys in it, `good` and `other`, and their public halves in files."""
    folder = Path(tempfile.mkdtemp(prefix="xk"))    # short: gpg's agent has a socket in it
    folder.chmod(0o700)
    for name in ("good", "other"):
        gpg(folder, "--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never")
        (folder / f"{name}.gpg").write_bytes(gpg(folder, "--export", name))
    return folder


def gpg(folder: Path, *words: str, data: bytes = b"") -> bytes:
    """What gpg makes of it."""
    return subprocess.run(["gpg", "--homedir", str(folder), "--batch", "--quiet", "--yes", *words], input=data,
                          capture_output=True, check=True).stdout


def end_keys() -> None:
    """At the end of a session."""
    if _keys.cache_info().currsize:
        subprocess.run(["gpgconf", "--homedir", str(_keys()), "--kill", "all"], capture_output=True)
        shutil.rmtree(_keys(), ignore_errors=True)
        _keys.cache_clear()


def keyring(name: str = "good") -> Path:
    """The public key of that name."""
    return _keys() / f"{name}.gpg"


BASE = Made("base-files", [other("./etc", tarfile.DIRTYPE), file("./etc/debian_version"), other("./dev", tarfile.DIRTYPE)],
            {"Essential": "yes"})


class Archive:
    """A folder with an archive of these packages, as a mirror has it, signed."""

    def __init__(self, root: Path, packages: Iterable[Made], suite: str = "trixie") -> None:
        self.root = root
        self.suite = suite
        self.dist = root / "dists" / suite
        (root / "pool").mkdir(parents=True)
        (self.dist / "main" / f"binary-{ISA}").mkdir(parents=True)
        self.release: dict[str, str] = {"Origin": "Debian", "Suite": "stable", "Codename": suite, "Components": "main",
                                        "Architectures": f"all {ISA}", "No-Support-for-Architecture-all": "Packages"}
        self.put(packages)

    def put(self, packages: Iterable[Made]) -> None:
        """Fill it, with base-files beside these packages."""
        stanzas = []
        for made in (BASE, *packages):
            content = deb(made.entries or [file(f"./usr/share/doc/{made.name}")], made.postinst)
            (self.pool(made.name)).write_bytes(content)
            fields = {"Package": made.name, "Version": made.version, "Architecture": ISA, "Size": str(len(content)),
                      "Filename": f"pool/{made.name}.deb", "SHA256": hashlib.sha256(content).hexdigest(), **made.fields}
            stanzas.append("".join(f"{name}: {value}\n" for name, value in fields.items()))
        self.packages = "\n".join(stanzas)
        self.sign()

    def pool(self, name: str) -> Path:
        """The file of a package."""
        return self.root / "pool" / f"{name}.deb"

    def sign(self, key: str = "good", **changes: str) -> None:
        """Write lists and release files, signed by that key."""
        packed = lzma.compress(self.packages.encode())
        name = f"main/binary-{ISA}/Packages.xz"
        (self.dist / name).write_bytes(packed)
        fields = {**self.release, **{key.replace("_", "-"): value for key, value in changes.items()}}
        text = "".join(f"{key}: {value}\n" for key, value in fields.items())
        text += f"SHA256:\n {hashlib.sha256(packed).hexdigest()} {len(packed)} {name}\n"
        plain = self.packages.encode()      # listed, though not there: so does Debian, and apt wants it
        text += f" {hashlib.sha256(plain).hexdigest()} {len(plain)} {name.removesuffix('.xz')}\n"
        (self.dist / "Release").write_text(text)
        sign = ["--local-user", key, "--armor"]
        (self.dist / "InRelease").write_bytes(gpg(_keys(), *sign, "--clearsign", data=text.encode()))
        (self.dist / "Release.gpg").write_bytes(gpg(_keys(), *sign, "--detach-sign", data=text.encode()))


@dataclass
class Behaviour:
    """How a server fails, and what it was asked for."""

    ranges: bool = True
    cut_after: int = 0                          # bytes after which the connection ends, for longer packages, this often:
    cuts: int = 0
    slow: float = 0.0                           # seconds between two blocks of a package
    stuck: bool = False                         # it never sends the last byte of a package
    asked: list[tuple[str, str]] = field(default_factory=list)      # path, Range


@contextmanager
def served(root: Path) -> Iterator[tuple[str, Behaviour]]:
    """The URL of a server of these files, and how it behaves."""
    behaviour = Behaviour()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            behaviour.asked.append((self.path, wanted))
            path = root / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            content = path.read_bytes()
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and behaviour.ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            content = content[start:]
            if behaviour.cuts and len(content) > behaviour.cut_after and path.suffix == ".deb":
                behaviour.cuts -= 1
                content = content[: behaviour.cut_after]
            try:
                if path.suffix == ".deb" and behaviour.stuck:
                    self.wfile.write(content[:-1])
                    self.server_ended.wait()
                elif path.suffix == ".deb" and behaviour.slow:
                    for at in range(0, len(content), 2048):
                        self.wfile.write(content[at : at + 2048])
                        if self.server_ended.wait(behaviour.slow):
                            return
                else:
                    self.wfile.write(content)
            except OSError:
                pass    # the client was killed

        server_ended = threading.Event()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", behaviour
    finally:
        Handler.server_ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def contents(folder: Path) -> set[str]:
    """All names below a folder."""
    return {os.path.relpath(os.path.join(top, name), folder) for top, folders, files in os.walk(folder)
            for name in (*folders, *files)}
