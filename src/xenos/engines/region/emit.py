"""Emits the instructions of a region one after the other: with accesses that keep all registers, or none, where they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.engines.llvm.emit import LIKELY, Emit
from xenos.engines.region.binding import RegionBinding
from xenos.engines.region.exact import ExactAccesses
from xenos.engines.region.narrow import Narrow
from xenos.engines.region.numbers import boxed
from xenos.engines.region.plain import PlainAccesses

if TYPE_CHECKING:
    from xenos.engines.llvm.emit import Floats
    from xenos.semantics.instruction import Form
    from xenos.semantics.values import Value


class RegionEmit(Narrow, Emit):
    """Emits instruction after instruction of a region; the slow way of each is its own."""

    def __init__(self, binding: RegionBinding, host: Floats) -> None:
        super().__init__([], binding, host)
        self.slow = ""
        self._halves, self._extended, self._wide, self._wanted = {}, {}, {}, set()

    def instruction(self, form: Form, slow: str) -> None:
        """Emit one; `slow` is the label of its way out to the reference engine."""
        self.effects, self.end, self.slow, self.uses_slow = form.effects, None, slow, False
        self._values = {}
        assert isinstance(self.binding, RegionBinding)
        lazy, self.lazy = self.lazy, self.lazy and self.binding.straight(form)
        self.run()
        self.lazy = lazy

    def slow_unless(self, condition: str) -> None:
        """Leave where the condition is false."""
        self.uses_slow = True
        go = f"go{self.name()[2:]}"
        self.do(f"br i1 {condition}, label %{go}, label %{self.slow}, {LIKELY}")
        self.label(go)

    def _box(self, op: Value) -> str:
        if op.args[0].width == 32 and op.width == 64:
            return boxed(self, self.value(op.args[0]))
        return super()._box(op)

    def _unbox(self, op: Value) -> str:
        """A register that holds a computed number of that width has it boxed."""
        assert isinstance(self.binding, RegionBinding)
        source = op.args[0]
        if source.op == "read" and self.binding.computed.get(self.binding.register(source)) == op.width:
            return self.line(f"trunc i{source.width} {self.value(source)} to i{op.width}")
        return super()._unbox(op)


class ExactEmit(ExactAccesses, RegionEmit):
    """Whatever access fails, the guest's registers are what they were before it."""

    def __init__(self, binding: RegionBinding, host: Floats) -> None:
        super().__init__(binding, host)
        self._made = {}


class PlainEmit(PlainAccesses, RegionEmit):
    """Where an access fails, all that is known is where it stands."""

    def __init__(self, binding: RegionBinding, host: Floats) -> None:
        super().__init__(binding, host)
        self.places, self._words = {}, []
