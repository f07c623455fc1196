"""Checks that Xenos fails, each with what is wrong: a list to be shortened, never to be silent about."""

_SHARED = "processes that share memory for good, or a vfork that does, are made with memory of their own"

KNOWN: dict[str, str] = {
    "order/atomics:same_value_written_in_between":
        "a store-conditional is the host's compare-and-exchange: it succeeds where another thread has put the old value back",
    "processes/families:vfork_shares": _SHARED,
    "threads/clone:shared_memory_process": _SHARED,
    "threads/clone:shared_files": "a process that shares its parent's descriptors or current directory gets copies of them",
    "threads/clone:exit_signals": "a child always sends SIGCHLD at its end, whatever clone was asked for",
}
