"""What README.md and docs/ show under an example is what the example prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.kit import ROOT, environment

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# A block of Python, and the block of text that stands directly below it, if one does.
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
MARK = "\x1e"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    examples = EXAMPLE.findall(page.read_text())
    if not any(shown for _, shown in examples):
        pytest.skip("shows no output")
    script = tmp_path / "page.py"
    script.write_text("".join(f"{code}\nprint({MARK!r}, end='', flush=True)\n" for code, _ in examples))
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, env=environment(), capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(MARK)
    for (code, shown), output in zip(examples, printed, strict=False):
        assert not shown or output == shown, f"this prints something else:\n{code}"
