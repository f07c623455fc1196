"""The files of the project, and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "xenos"
_FOLDERS = ("src", "tests", "bench", "examples", "scripts", "docs")
_SUFFIXES = {".py", ".c", ".h", ".ash", ".bash", ".pl", ".lua", ".sql", ".md", ".toml", ""}


def written_files() -> list[Path]:
    """Every text file that people write and read."""
    found = [path for folder in _FOLDERS for path in sorted((ROOT / folder).rglob("*"))
             if path.is_file() and path.suffix in _SUFFIXES and not _is_made(path)]
    return [*found, *(ROOT / name for name in ("Makefile", "README.md", "pyproject.toml") if (ROOT / name).exists())]


def python_files(*folders: str) -> list[Path]:
    """Those in Python under the given folders."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if not _is_made(path)]


def _is_made(path: Path) -> bool:
    if {"generated", "__pycache__"} & set(path.parts):
        return True
    with path.open("rb") as file:
        return b"\0" in file.read(4096)     # a program


def module_name(path: Path) -> str:
    """Without `xenos.`; empty for the package itself."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and module, without `xenos.`, of everything of ours that a file imports anywhere in it."""
    package = module_name(path).split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(filter(None, ["xenos", *package[: len(package) - node.level + 1], base]))
            names = [_target(base, alias.name) for alias in node.names]
        else:
            continue
        for name in names:
            if name == "xenos" or name.startswith("xenos."):
                yield node.lineno, name.removeprefix("xenos").removeprefix(".")


def _target(base: str, name: str) -> str:
    """`from a import b` is of module a.b where there is one."""
    path = SOURCE.parent.joinpath(*base.split("."), name)
    return f"{base}.{name}" if path.with_suffix(".py").exists() or (path / "__init__.py").exists() else base
