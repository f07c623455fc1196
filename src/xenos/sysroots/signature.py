"""Whether a release file is signed by the keys that the user trusts: asked of gpgv or sqv, which every Debian has."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable

from xenos.errors import SysrootError

# Where distributions put Debian's keys, Debian's own places first.
_KEYRINGS = tuple(f"/usr/share/keyrings/debian-archive-keyring.{ending}" for ending in ("pgp", "gpg", "asc"))
_ARMOR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n([A-Za-z0-9+/=\r\n]+?)(?:\r?\n=[^\r\n]*)?"
                    rb"\r?\n-----END PGP PUBLIC KEY BLOCK-----")

Fetch = Callable[[str], bytes]      # the content of a file that stands beside the release file


def find_keyring(given: str | None) -> str:
    """The file of trusted keys: the one given, or Debian's on this host."""
    if given is not None:
        if not os.path.isfile(given):
            raise SysrootError(f"{given}: no such keyring")
        return os.path.abspath(given)
    for path in _KEYRINGS:
        if os.path.isfile(path):
            return path
    raise SysrootError("this host has no keys of Debian's archive: install the package debian-archive-keyring "
                       "(debian-keyring on some systems), or name a file of keys with --keyring FILE")


def signed_release(fetch: Fetch, keyring: str, origin: str) -> bytes:
    """The release file that `fetch` gives, once a key of `keyring` has been found to have signed it."""
    gpgv, sqv = shutil.which("gpgv"), shutil.which("sqv")
    if not gpgv and not sqv:
        raise SysrootError("signatures of packages cannot be checked here: install gpgv or sqv")
    with tempfile.TemporaryDirectory(prefix="xenos-keys-") as folder:
        keys = _plain(keyring, folder)
        if gpgv:
            return _by_gpgv(gpgv, fetch("InRelease"), keys, folder, origin)
        assert sqv is not None
        return _by_sqv(sqv, fetch("Release"), fetch("Release.gpg"), keys, folder, origin)


def _by_gpgv(gpgv: str, signed: bytes, keys: str, folder: str, origin: str) -> bytes:
    """What was signed of an InRelease file. Text around the signed part is not what gpgv gives back."""
    done = subprocess.run(
        [gpgv, "--homedir", folder, "--keyring", keys, "--weak-digest", "SHA1", "--status-fd", "2", "--output", "-"],
        input=signed, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    said = [line.split()[1] for line in done.stderr.decode(errors="replace").splitlines()
            if line.startswith("[GNUPG:] ") and len(line.split()) > 1]
    # A release is signed by several keys, of which we need know one only; but none may be wrong.
    if "VALIDSIG" in said and "GOODSIG" in said and "BADSIG" not in said and done.stdout:
        return done.stdout
    if "BADSIG" in said:
        why = "its signature is wrong: it was changed on its way, or the mirror is not what it claims to be"
    elif "NO_PUBKEY" in said:
        why = "none of the keys that signed it is trusted here; a keyring with newer keys can be named with --keyring FILE"
    elif "EXPKEYSIG" in said or "REVKEYSIG" in said:
        why = "the key that signed it has expired or was revoked"
    else:
        why = "it is not signed"
    raise SysrootError(f"{origin} is refused: {why}")


def _by_sqv(sqv: str, release: bytes, signature: bytes, keys: str, folder: str, origin: str) -> bytes:
    paths = [os.path.join(folder, name) for name in ("Release.gpg", "Release")]
    for path, content in zip(paths, (signature, release), strict=True):
        with open(path, "wb") as file:
            file.write(content)
    done = subprocess.run([sqv, "--keyring", keys, *paths], capture_output=True)
    if done.returncode != 0 or not done.stdout.strip():     # it prints the fingerprints of those whose signature is good
        raise SysrootError(f"{origin} is refused: it is not signed by a key that is trusted here, or was changed on its way")
    return release


def _plain(keyring: str, folder: str) -> str:
    """The keyring without armor, which gpgv does not read."""
    try:
        with open(keyring, "rb") as file:
            content = file.read()
    except OSError as error:
        raise SysrootError(f"{keyring}: {error.strerror}") from None
    if b"-----BEGIN PGP" not in content[:4096]:
        return keyring
    path = os.path.join(folder, "keyring.gpg")
    with open(path, "wb") as file:
        for match in _ARMOR.finditer(content):
            file.write(base64.b64decode(match[1]))
    return path
