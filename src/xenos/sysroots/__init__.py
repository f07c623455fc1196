"""Sysroots: guest systems unpacked from Debian packages, made whole or not at all, and where they lie."""
