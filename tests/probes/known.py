"""Checks that Xenos fails, each with what is wrong: a list to be shortened, never to be silent about."""

KNOWN: dict[str, str] = {
}
