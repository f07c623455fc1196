"""`python -m xenos`: the command without an installed script."""

from xenos import warm

warm.use()

from xenos.cli.main import command  # noqa: E402  # first where modules come from

command()
