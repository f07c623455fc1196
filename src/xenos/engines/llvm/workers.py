"""Processes that compile side by side: LLVM's calls hold one lock for a whole process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self, TypeVar

Found = TypeVar("Found")


class Workers:
    """As many processes as there are processors for us, forked from this one: they start at once, with LLVM loaded.

    With one processor, or where there can be none (no semaphores: /dev/shm cannot be written), all is done here.
    """

    def __init__(self) -> None:
        self._pool: Any = None
        count = len(os.sched_getaffinity(0))
        if count < 2:
            return
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        try:
            self._pool = ProcessPoolExecutor(count, get_context("fork"))
        except (OSError, ImportError, NotImplementedError):
            pass

    def begin(self, work: Callable[..., Found], *given: object) -> Callable[[], Found]:
        """Have `work(*given)` done, in the order in which it was begun; gives a function that waits for what comes of it.

        Both the work and what comes of it go from process to process: a function of a module, and plain data.
        """
        if self._pool is None:
            return lambda: work(*given)
        result: Callable[[], Found] = self._pool.submit(work, *given).result
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
