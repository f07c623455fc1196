"""Checks that Xenos fails, each with what is wrong: a list to be shortened, never to be silent about."""

KNOWN: dict[str, str] = {
    "order/atomics:same_value_written_in_between":
        "a store-conditional is the host's compare-and-exchange: it succeeds where another thread has put the old value back",
    "threads/clone:unshared_by_a_thread":
        "the threads of a process have one directory and one table of descriptors: unshare(2) among several says EPERM",
}
