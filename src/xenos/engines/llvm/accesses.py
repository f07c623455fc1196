"""Guest memory as LLVM IR: loads, stores, and what is done in one step."""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.llvm.lines import Lines
from xenos.semantics.values import Value

_KINDS = {"swap": "xchg", "smin": "min", "smax": "max"}


class Accesses(Lines):
    """Accesses are volatile: plain ones are hoisted out of the guest's spin loops."""

    def _aligned(self, address: Value, width: int) -> None:
        """What is done in one step must be aligned; the reference engine says what happens where it is not."""
        low = self.line(f"and i64 {self.value(address)}, {width // 8 - 1}")
        self.slow_unless(self.line(f"icmp eq i64 {low}, 0"))

    def _got(self, op: Value, address: Value) -> str:
        """What an operation reads there."""
        return self.line(f"load volatile i{op.width}, ptr {self.binding.address(self, address)}, align 1")

    def _put(self, value: Value, address: Value) -> None:
        """Write it there."""
        self.do(f"store volatile i{value.width} {self.value(value)}, ptr {self.binding.address(self, address)}, align 1")

    def _load(self, op: Value) -> str:
        got = self._got(op, op.args[0])
        self.host.after_load(self, op.attr("order"))
        return got

    def _store(self, op: Value) -> None:
        self.host.before_store(self, op.attr("order"))
        self._put(op.args[1], op.args[0])
        self.host.after_store(self, op.attr("order"))

    def _amo(self, op: Value) -> str:
        name = _KINDS.get(op.attr("kind"), op.attr("kind"))
        self._aligned(op.args[0], op.width)
        where, value = self.binding.address(self, op.args[0]), self.value(op.args[1])
        # Of one that changes nothing LLVM would make a load, which does not fail where only a write does.
        value = self.line(f'call i{op.width} asm "", "=r,0"(i{op.width} {value})')
        return self.line(f"atomicrmw volatile {name} ptr {where}, i{op.width} {value} seq_cst, "
                         f"align {op.width // 8}")

    def _exchange(self, address: Value, expected: str, new: str, width: int) -> tuple[str, str]:
        """In one step, write what is new if there is what is expected: what was there, and whether it was that."""
        pair = self.line(f"cmpxchg volatile ptr {self.binding.address(self, address)}, i{width} {expected}, i{width} {new} "
                         f"seq_cst seq_cst, align {width // 8}")
        return self.line(f"extractvalue {{i{width}, i1}} {pair}, 0"), self.line(f"extractvalue {{i{width}, i1}} {pair}, 1")

    def _compare_exchange(self, op: Value) -> str:
        _, expected, new = (self.value(a) for a in op.args)
        self._aligned(op.args[0], op.width)
        return self._exchange(op.args[0], expected, new, op.width)[0]

    def _reserve(self, op: Value) -> str:
        self._aligned(op.args[0], op.width)
        got = self._got(op, op.args[0])
        self.host.after_load(self, "acquire")
        wide = got if op.width == 64 else self.line(f"zext i{op.width} {got} to i64")
        self.store_state(at.RESERVED_ADDRESS, self.value(op.args[0]))
        self.store_state(at.RESERVED_VALUE, wide)
        return got

    def _store_conditional(self, op: Value) -> str:
        """A store by compare-and-exchange with the value that was reserved; no write, no fault, where the address differs."""
        address, value = (self.value(a) for a in op.args)
        width = op.args[1].width
        self._aligned(op.args[0], width)
        held = self.load_state(at.RESERVED_ADDRESS)
        same = self.line(f"icmp eq i64 {held}, {address}")
        n, before = self.name()[2:], self.block
        self.do(f"br i1 {same}, label %try{n}, label %lost{n}")
        self.label(f"try{n}")
        expected = self.load_state(at.RESERVED_VALUE)
        if width < 64:
            expected = self.line(f"trunc i64 {expected} to i{width}")
        failed = self.line(f"xor i1 {self._exchange(op.args[0], expected, value, width)[1]}, true")
        tried = self.block
        self.do(f"br label %lost{n}")
        self.label(f"lost{n}")
        result = self.line(f"phi i1 [ {failed}, %{tried} ], [ true, %{before} ]")
        self.store_state(at.RESERVED_ADDRESS, "-1")
        return result

    def _zero_block(self, op: Value) -> None:
        where = self.binding.address(self, op.args[0])
        for offset in range(0, op.attr("size"), 8):
            self.do(f"store volatile i64 0, ptr {self.line(f'getelementptr i8, ptr {where}, i64 {offset}')}, align 8")

    def _fence(self, op: Value) -> None:
        self.host.fence(self, op.attr("before"), op.attr("after"))
