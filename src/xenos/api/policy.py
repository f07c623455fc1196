"""The class `Policy`: what a program may do."""

from __future__ import annotations

from xenos.linux.policy.terms import Policy

__all__ = ["Policy"]
