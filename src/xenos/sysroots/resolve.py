"""Which packages it takes: those asked for, and what they need, none of which refuses another."""

from __future__ import annotations

from collections.abc import Sequence

from xenos.errors import SysrootError
from xenos.sysroots.index import Index, Package, Relation


def resolve(index: Index, wanted: Sequence[str]) -> list[Package]:
    """The wanted packages and all that they depend on, in the order in which they are unpacked.

    What is recommended is left away. Of alternatives the first that is there and refused by none is taken, and a choice
    is not taken back: that is enough within one suite, whose packages are made to go together.
    """
    chosen = _Chosen(index)
    for name in wanted:
        found = index.candidates(Relation(name))
        if not found:
            raise SysrootError(f"there is no package `{name}` in {index.origin}")
        if found[0].name != name and len(found) > 1:
            names = ", ".join(package.name for package in found)
            raise SysrootError(f"`{name}` is provided by several packages, name one of them: {names}")
        chosen.take([found[0]], f"`{name}`")
    while chosen.todo:
        package = chosen.todo.pop(0)
        for group in package.depends:
            if chosen.has(group):
                continue
            found = [candidate for relation in group for candidate in index.candidates(relation)]
            text = " | ".join(map(str, group))
            if not found:
                raise SysrootError(f"{package.name} needs {text}, which is not in {index.origin}")
            chosen.take(found, f"{text}, which {package.name} needs,")
    # base-files lays the folders and links that the others fill.
    return sorted(chosen.packages.values(), key=lambda package: (package.name != "base-files", package.name))


class _Chosen:
    """What was taken so far."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.packages: dict[str, Package] = {}
        self.provided: dict[str, list[Package]] = {}
        self.refused: dict[str, list[tuple[Package, Relation]]] = {}
        self.todo: list[Package] = []

    def has(self, group: tuple[Relation, ...]) -> bool:
        return any(package.is_meant_by(relation) for relation in group
                   for package in self.provided.get(relation.name, ()))

    def take(self, found: list[Package], what: str) -> None:
        """The first of `found` that goes with the others."""
        reasons = []
        for package in found:
            if package.name in self.packages:
                return
            other = self._quarrel(package)
            if other is None:
                self._add(package)
                return
            reasons.append(f"{package.name} and {other} refuse each other")
        raise SysrootError(f"{what} cannot be had: {'; '.join(reasons[:2])}")

    def _add(self, package: Package) -> None:
        self.packages[package.name] = package
        self.todo.append(package)
        for name in (package.name, *package.provides):
            self.provided.setdefault(name, []).append(package)
        for relation in package.refuses:
            self.refused.setdefault(relation.name, []).append((package, relation))

    def _quarrel(self, package: Package) -> str | None:
        """The name of one that refuses `package`, or that it refuses."""
        for relation in package.refuses:
            for other in self.provided.get(relation.name, ()):
                if other.is_meant_by(relation):
                    return other.name
        for name in (package.name, *package.provides):
            for other, relation in self.refused.get(name, ()):
                if package.is_meant_by(relation):
                    return other.name
        return None
