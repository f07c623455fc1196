"""The command line as its users meet it: `python -m xenos` in a process of its own."""
