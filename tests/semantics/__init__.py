"""Tests of the language that instructions are written in."""
