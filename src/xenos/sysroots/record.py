"""What a sysroot says of itself: a file inside it, written last, without which a folder is no sysroot of ours."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from xenos.errors import SysrootError
from xenos.sysroots.place import RECORD, sysroots_folder


@dataclass
class Record:
    """Where a sysroot's packages came from, which were asked for, and all that are in it, with their versions."""

    architecture: str
    suite: str
    mirror: str | None          # None: the host's apt
    keyring: str | None
    essential: bool             # whether the packages are in it that all others may need
    asked: list[str]
    packages: dict[str, str]

    def write(self, tree: str) -> None:
        """Put it into its place."""
        path = os.path.join(tree, RECORD)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.write("\n")
        os.replace(path + ".new", path)


def read(tree: str) -> Record:
    """The record of the sysroot in that folder; SysrootError if there is none."""
    try:
        with open(os.path.join(tree, RECORD), encoding="utf-8") as file:
            return Record(**json.load(file))
    except FileNotFoundError:
        raise SysrootError(f"{tree} is no sysroot that `xenos sysroot create` made") from None
    except (OSError, ValueError, TypeError) as error:
        raise SysrootError(f"{os.path.join(tree, RECORD)}: damaged: {error}") from None


def all_named() -> dict[str, str]:
    """The sysroots that lie among the user's data: name -> folder."""
    folder = sysroots_folder()
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    return {name: path for name in names if not name.startswith(".")
            and os.path.exists(os.path.join(path := os.path.join(folder, name), RECORD))}
