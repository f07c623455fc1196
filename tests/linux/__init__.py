"""Tests of the kernel that Xenos plays: loading, system calls, and the life of a process."""
