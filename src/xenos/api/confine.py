"""A loaded process put under a policy, with what Xenos itself still needs of the host: its modules and its cache."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.linux.policy.terms import Policy
    from xenos.linux.process import Process


def confine(process: Process, policy: Policy, program: str) -> list[str]:
    """Put `policy` in force for good; gives the levels that this host has not. The parent watches over this process.

    `program` is what the user called it by: a script, perhaps, whose interpreter must be able to read it.
    """
    from xenos.engines.choose import cache_folder
    from xenos.linux.policy.confine import confine_host, enforce

    files = [os.path.abspath(os.fsencode(program)), process.executable]
    enforce(process, policy, files, os.getppid())
    folder = _own_store(process.engine, repr(policy)) if policy.confined else None
    cache = cache_folder()
    ours = [cache, *(os.path.join(cache, part) for part in ("packs", "code"))]  # links, perhaps
    return confine_host(process, policy, files, ours, [folder] if folder else [])


def _own_store(engine: Any, name: str) -> str | None:
    """Let an engine keep what it translates in a folder that only runs under this policy use; gives the folder, if any.

    A guest that has got hold of its host process could write code there, which must not run where more is allowed.
    """
    from xenos.engines.choose import cache_folder
    from xenos.engines.code.borrowed import Borrowed, make_room

    engine = getattr(engine, "stencil", engine)     # of the two that lockstep has
    store = getattr(engine, "store", None)
    if store is None:
        return None
    folder = make_room(os.path.join(cache_folder(), "confined"), name)
    engine.store = Borrowed(store, folder)
    return folder
