"""What hosts with IEEE 754 arithmetic have in common: comparisons, classes, and the dynamic rounding mode."""

from __future__ import annotations

from xenos.cpu import layout as at
from xenos.engines.llvm.emit import FLOATS, Emit, Slow
from xenos.engines.llvm.lines import Lines
from xenos.semantics.values import Value

STRICT = ("round.dynamic", "fpexcept.strict")
TOWARD_ZERO = 1
INFINITY = {32: 0x7F80_0000, 64: 0x7FF0_0000_0000_0000}
_DYNAMIC = 7


class IeeeFloats:
    """The entries that need no care. Sticky flags that the host raised are `raised`, in our numbering."""

    shifts_lanes = True
    own_nans = False    # whether results that are NaNs are the host's own, and must be made the guest's

    def raised(self, emit: Emit) -> str:
        """The host's sticky flags: each host has its own way to read them."""
        raise NotImplementedError

    def address(self, emit: Lines, value: str) -> str:
        """A guest address as the host is to use it: as it is, where the host looks at all its bits."""
        return value

    def after_store(self, emit: Lines, order: str) -> None:
        """An ordered store must not be overtaken by a later ordered load."""
        if "acquire" in order:
            emit.do("fence seq_cst")

    def number(self, emit: Emit, value: Value, text: str) -> str:
        """Bits as a floating-point value."""
        if value.width not in (32, 64):
            raise Slow("half precision")
        return emit.line(f"bitcast i{value.width} {text} to {FLOATS[value.width]}")

    def rounding(self, emit: Emit, op: Value) -> None:
        """A rounding mode in the encoding is exact here only while it is also the dynamic one."""
        wanted = op.attr("rounding")
        if wanted == _DYNAMIC:
            return
        if wanted > 3:
            raise Slow("rounding that the host lacks")
        emit.slow_unless(emit.line(f"icmp eq i64 {emit.load_state(at.ROUNDING)}, {wanted}"))

    def compare(self, emit: Emit, op: Value, relation: str, a: str, b: str, signaling: bool = False) -> str:
        """LLVM's relation of two numbers; `signaling` raises invalid for any NaN, else only a signaling one does."""
        width = op.args[0].width
        type_ = FLOATS[width]
        fa, fb = (self.number(emit, x, text) for x, text in zip(op.args, (a, b), strict=True))
        if emit.quiet:
            return emit.line(f"fcmp {relation} {type_} {fa}, {fb}")
        name = "fcmps" if signaling else "fcmp"
        return emit.call("i1", f"llvm.experimental.constrained.{name}.f{width}", f"{type_} {fa}", f"{type_} {fb}",
                         metadata=(relation, "fpexcept.strict"))

    def feq(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """Quiet."""
        return self.compare(emit, op, "oeq", a, b)

    def flt(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """Signaling."""
        return self.compare(emit, op, "olt", a, b, signaling=True)

    def fle(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """Signaling."""
        return self.compare(emit, op, "ole", a, b, signaling=True)

    def flt_quiet(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """Quiet."""
        return self.compare(emit, op, "olt", a, b)

    def fle_quiet(self, emit: Emit, op: Value, a: str, b: str) -> str:
        """Quiet."""
        return self.compare(emit, op, "ole", a, b)

    def fclassify(self, emit: Emit, op: Value, a: str) -> str:
        """One of ten bits, by integer comparisons alone."""
        width, t = op.args[0].width, f"i{op.args[0].width}"
        if width not in (32, 64):
            raise Slow("half precision")
        infinity = INFINITY[width]
        smallest = infinity & -infinity
        quiet = infinity | smallest >> 1
        magnitude = emit.line(f"and {t} {a}, {(1 << (width - 1)) - 1}")
        # Zero, subnormal, normal, infinite, signaling, quiet are counted 0-5: the place of the bit is a digit of a table.
        count = "0"
        for start in (1, smallest, infinity, infinity + 1, quiet):
            more = emit.line(f"zext i1 {emit.line(f'icmp uge {t} {magnitude}, {start}')} to i32")
            count = emit.line(f"add i32 {count}, {more}")
        negative = emit.line(f"icmp slt {t} {a}, 0")
        table = emit.line(f"select i1 {negative}, i32 {0x980123}, i32 {0x987654}")
        digit = emit.line(f"lshr i32 {table}, {emit.line(f'shl i32 {count}, 2')}")
        bit = emit.line(f"shl i32 1, {emit.line(f'and i32 {digit}, 15')}")
        return bit if op.width == 32 else emit.line(f"zext i32 {bit} to i{op.width}")

    def get_flags(self, emit: Emit, op: Value) -> str:
        """What was accrued before this run of generated code, and what the host has raised since."""
        flags = emit.line(f"or i64 {self.raised(emit)}, {emit.load_state(at.FLAGS)}")
        return flags if op.width == 64 else emit.line(f"trunc i64 {flags} to i{op.width}")

    def get_rounding(self, emit: Emit, op: Value) -> str:
        """The mode as the guest set it."""
        return emit.load_state(at.ROUNDING)
