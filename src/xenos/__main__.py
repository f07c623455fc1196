"""`python -m xenos`: the command without an installed script."""

from xenos.cli.main import command

command()
