"""Outside oracles: the same cases run by qemu-riscv64 and by Unicorn. `cases` says what a case is."""

from __future__ import annotations

from oracles.cases import CODE, DATA, DATA_SIZE, Case, OracleError, Result
from oracles.qemu import missing, run_words
from oracles.unicorn_engine import missing_unicorn, run_words_unicorn

__all__ = ["CODE", "DATA", "DATA_SIZE", "Case", "OracleError", "Result", "missing", "missing_unicorn",
           "run_words", "run_words_unicorn"]
