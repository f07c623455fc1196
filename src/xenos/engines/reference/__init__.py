"""The reference engine: plain Python, right by definition. It is the interpreter, the oracle and the single-stepper."""

from xenos.engines.reference.engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
