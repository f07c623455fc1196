"""Tests of the guests: their instructions against outside oracles, on every engine."""
