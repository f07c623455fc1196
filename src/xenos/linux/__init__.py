"""The kernel that Xenos plays for one process: loading, system calls, files, time, children and death."""
