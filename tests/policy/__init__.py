"""Tests of linux/policy: what a guest is kept from, by Xenos and by the host."""
