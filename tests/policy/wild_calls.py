"""The wild calls of tests/linux, made by a confined guest: rules must survive them, too.

    python -m policy.wild_calls FOLDER SEED COUNT
"""

from __future__ import annotations

import os
import sys

from linux import wild_calls
from xenos.linux.policy.confine import enforce
from xenos.linux.policy.terms import Policy


class Confined(wild_calls.Wild):
    """A guest that may write where it is, and reach no network."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        policy = Policy(rw=["."], ro=["/usr"], network=False, max_memory=1 << 30 if seed % 2 else None)
        enforce(self.guest, policy, [], os.getpid())


if __name__ == "__main__":
    wild_calls.Wild = Confined  # type: ignore[misc]
    raise SystemExit(wild_calls.run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
