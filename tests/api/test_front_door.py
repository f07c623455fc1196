"""What `import xenos` offers, and that it stays a light import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import xenos
from cli.kit import environment


def test_the_public_names() -> None:
    assert sorted(xenos.__all__) == ["Exit", "Policy", "Process", "Result", "XenosError", "run"]
    assert dir(xenos) == sorted([*xenos.__all__, "__version__"])
    assert all(getattr(xenos, name).__doc__ for name in xenos.__all__)


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'machine'"):
        xenos.machine  # noqa: B018


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import xenos; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['__future__', 'xenos']"
