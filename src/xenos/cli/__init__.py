"""The command line: `xenos run`, `xenos disasm`, `xenos doctor`."""
