"""Making, extending and removing a sysroot: always whole in its place, or not there."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from xenos.errors import SysrootError
from xenos.sysroots import apt, archive, download, workshop
from xenos.sysroots.index import Package
from xenos.sysroots.mirror import Mirror
from xenos.sysroots.progress import Progress
from xenos.sysroots.record import Record, read
from xenos.sysroots.resolve import resolve
from xenos.sysroots.settle import prepare, settle


def create(target: str, record: Record, packages_folder: str, progress: Progress) -> Record:
    """Make a sysroot at `target`, an absolute path where nothing is, of what `record` asks for."""
    with _plain_errors(target), workshop.held(target) as tree:
        # Looked at only now: another maker may have ended just before.
        if os.path.lexists(target) and (os.path.islink(target) or not os.path.isdir(target) or os.listdir(target)):
            raise SysrootError(f"{target} is there already")
        _fill(tree, record, {}, packages_folder, progress)
        os.rename(tree, target)
    return record


def extend(target: str, names: Sequence[str], packages_folder: str, progress: Progress) -> Record:
    """Put more packages into a sysroot, and newer ones in place of those that the archive has newer."""
    with _plain_errors(target), workshop.held(target) as tree:
        record = read(target)
        there = record.packages
        record.asked = list(dict.fromkeys([*record.asked, *names]))
        progress.stage("copying the names of its files")
        workshop.copy_links(target, tree)
        _fill(tree, record, there, packages_folder, progress)
        workshop.replace(target, tree)
    return record


def remove(target: str) -> None:
    """Remove a sysroot, whatever a guest has put into it."""
    read(target)
    with _plain_errors(target), workshop.held(target) as hidden:
        os.rename(target, os.path.join(hidden, "removed"))


def _fill(tree: str, record: Record, there: dict[str, str], packages_folder: str, progress: Progress) -> None:
    """Unpack into `tree` what the record asks for and what that needs, but for what is there; and complete the record."""
    folder = os.path.join(packages_folder, f"{record.suite}-{record.architecture}")
    os.makedirs(folder, exist_ok=True)
    with _locked(folder, progress):
        source: Mirror | apt.Apt
        if record.mirror is not None:
            source = Mirror(record.mirror, record.suite, record.architecture, folder, record.keyring)
        else:
            source = apt.Apt(record.suite, record.architecture, folder, record.keyring)
        index = source.index(progress)
        chosen = resolve(index, [*(index.essential if record.essential else ()), "base-files", *record.asked])
        new = [package for package in chosen if there.get(package.name) != package.version]
        _check_room(tree, folder, new)
        _unpack(tree, new, source.fetch(new, progress), progress)
    record.packages = {**there, **{package.name: package.version for package in chosen}}
    record.write(tree)


def _unpack(tree: str, packages: Sequence[Package], files: dict[str, str], progress: Progress) -> None:
    prepare(tree)
    scripts = []
    progress.stage(f"unpacking {len(packages)} packages", sum(package.size for package in packages))
    # Hashing does not hold Python's lock: the next packages are looked at while one is unpacked.
    with ThreadPoolExecutor(1) as pool:
        hashes = {package.name: pool.submit(download.sha256, files[package.name]) for package in packages}
        try:
            for package in packages:
                path = files[package.name]
                if hashes[package.name].result() != package.sha256:
                    os.unlink(path)     # fetched anew the next time
                    raise SysrootError(f"{os.path.basename(path)}: its SHA-256 is not what the signed list of packages says")
                scripts.append(archive.unpack(path, tree).get("postinst", ""))
                progress.advance(package.size)
        finally:
            pool.shutdown(cancel_futures=True)
    settle(tree, scripts)


def _check_room(tree: str, folder: str, packages: Sequence[Package]) -> None:
    """Refuse before anything is fetched what the disk has no room for."""
    needed = {tree: sum(package.installed_size for package in packages), folder: sum(package.size for package in packages)}
    if os.stat(tree).st_dev == os.stat(folder).st_dev:
        needed = {tree: sum(needed.values())}
    for path, size in needed.items():
        state = os.statvfs(path)
        free = state.f_bavail * state.f_frsize
        if size > free:
            raise SysrootError(f"{os.path.dirname(path)}: no room: {size >> 20} MiB are needed, {free >> 20} MiB are free")


@contextmanager
def _locked(folder: str, progress: Progress) -> Iterator[None]:
    """One process at a time keeps lists and packages in a folder: the next one waits for it."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.stage("waiting for another `xenos sysroot` that fetches packages")
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def _plain_errors(target: str) -> Iterator[None]:
    """What the host refuses becomes one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise SysrootError(f"{target}: the disk is full; nothing was kept but packages that were fetched") from error
        where = os.fsdecode(error.filename) if error.filename is not None else target
        raise SysrootError(f"{where}: {error.strerror or error}") from error
