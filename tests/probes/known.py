"""Checks that Xenos fails, each with what is wrong: a list to be shortened, never to be silent about."""

KNOWN: dict[str, str] = {
    "order/atomics:same_value_written_in_between":
        "a store-conditional is the host's compare-and-exchange: it succeeds where another thread has put the old value back",
}
