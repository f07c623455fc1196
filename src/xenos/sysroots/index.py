"""What an archive offers: the stanzas of its Packages file, read one by one when a package is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from xenos.errors import SysrootError
from xenos.sysroots.version import compare, satisfies

_RELATION = re.compile(r"([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\((<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?")
_RANKS = {"required": 0, "important": 1, "standard": 2, "optional": 3, "extra": 4}


@dataclass(frozen=True)
class Relation:
    """One package that another wants or refuses, perhaps only in some versions."""

    name: str
    operator: str = ""
    version: str = ""

    def met_by(self, version: str | None) -> bool:
        """Whether a package of that name and version is meant; None is a provided name without a version."""
        return not self.operator or version is not None and satisfies(version, self.operator, self.version)

    def __str__(self) -> str:
        return f"{self.name} ({self.operator} {self.version})" if self.operator else self.name


@dataclass(frozen=True)
class Package:
    """One version of a package, as the archive describes it."""

    name: str
    fields: dict[str, str] = field(hash=False, compare=False, repr=False)
    version: str = ""

    @property
    def filename(self) -> str:
        """Where it lies, below the root of the archive."""
        return self.fields.get("filename", "")

    @property
    def size(self) -> int:
        """Bytes of the package."""
        return _number(self.fields.get("size"))

    @property
    def installed_size(self) -> int:
        """Bytes of what is in it, about."""
        return _number(self.fields.get("installed-size")) * 1024

    @property
    def sha256(self) -> str:
        """Its SHA-256, in hexadecimal digits."""
        return self.fields.get("sha256", "").lower()

    @property
    def essential(self) -> bool:
        """Whether others may need it without saying so."""
        return self.fields.get("essential") == "yes"

    @property
    def rank(self) -> tuple[int, str]:
        """Of several that provide the same thing, the least is taken."""
        return _RANKS.get(self.fields.get("priority", ""), 5), self.name

    @cached_property
    def depends(self) -> list[tuple[Relation, ...]]:
        """What it needs: of each group, one."""
        return [group for name in ("pre-depends", "depends") for group in _relations(self.fields.get(name, ""))]

    @cached_property
    def refuses(self) -> list[Relation]:
        """What it cannot stand beside."""
        return [relation for name in ("conflicts", "breaks") for group in _relations(self.fields.get(name, ""))
                for relation in group]

    @cached_property
    def provides(self) -> dict[str, str | None]:
        """The names that it answers to beside its own, each with its version or None."""
        return {relation.name: relation.version or None for group in _relations(self.fields.get("provides", ""))
                for relation in group}

    def is_meant_by(self, relation: Relation) -> bool:
        """Whether this package is what `relation` speaks of."""
        if relation.name == self.name:
            return relation.met_by(self.version)
        return relation.name in self.provides and relation.met_by(self.provides[relation.name])


class Index:
    """All packages of one architecture in one suite; of several versions, the latest."""

    def __init__(self, text: str, origin: str) -> None:
        self.origin = origin                        # for messages: suite and architecture
        self._stanzas: dict[str, list[str]] = {}
        self._providers: dict[str, list[str]] = {}
        self._read: dict[str, Package] = {}
        self.essential: list[str] = []
        for stanza in text.split("\n\n"):
            if not stanza.startswith("Package: "):
                stanza = stanza.lstrip("\n")
                if not stanza.startswith("Package: "):
                    continue
            end = stanza.find("\n")
            name = stanza[9 : end if end > 0 else None].strip()
            self._stanzas.setdefault(name, []).append(stanza)
            if "\nEssential: yes" in stanza:
                self.essential.append(name)
            at = stanza.find("\nProvides: ")
            if at >= 0:
                for group in _relations(stanza[at + 11 : stanza.find("\n", at + 11) if "\n" in stanza[at + 11 :] else None]):
                    self._providers.setdefault(group[0].name, []).append(name)

    def __len__(self) -> int:
        return len(self._stanzas)

    def get(self, name: str) -> Package | None:
        """The latest version of the package of that name."""
        if name not in self._read and name in self._stanzas:
            best: Package | None = None
            for stanza in self._stanzas[name]:
                fields = parse(stanza)
                package = Package(name, fields, fields.get("version", ""))
                if best is None or compare(package.version, best.version) > 0:
                    best = package
            assert best is not None
            self._read[name] = best
        return self._read.get(name)

    def candidates(self, relation: Relation) -> list[Package]:
        """What could be taken for `relation`: the package of that name first, then those that provide it."""
        names = [relation.name, *self._providers.get(relation.name, ())]
        found = [package for name in dict.fromkeys(names) if (package := self.get(name)) is not None]
        found = [package for package in found if package.is_meant_by(relation)]
        return sorted(found, key=lambda package: (package.name != relation.name, package.rank))


def parse(stanza: str) -> dict[str, str]:
    """The fields of one stanza, names in small letters, lines that go on joined (deb822(5))."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line[:1] in (" ", "\t"):
            if name:
                fields[name] += "\n" + line.strip()
        else:
            name, colon, value = line.partition(":")
            name = name.lower()
            if colon:
                fields[name] = value.strip()
    return fields


def _relations(text: str) -> list[tuple[Relation, ...]]:
    """A field like Depends: groups, of each of which one is enough."""
    groups = []
    for group in text.split(","):
        if not group.strip():
            continue
        alternatives = []
        for item in group.split("|"):
            match = _RELATION.fullmatch(item.strip())
            if match is None:
                raise SysrootError(f"the archive's list of packages has a relation that is none: `{item.strip()[:60]}`")
            alternatives.append(Relation(match[1], match[2] or "", match[3] or ""))
        groups.append(tuple(alternatives))
    return groups


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
