"""Floating-point registers that hold what was computed: if that is a NaN, it is the guest's canonical one, whatever the host made.

A host may give results another NaN. To look at each costs more than to compute it; so results are kept as they come, and made
canonical where their bits are seen: stored, moved, or left behind in the state. What was loaded keeps its bits. Where a register
holds a computed number on one way to a block and a loaded one on another, the latter way is left if that is a NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenos.cpu import layout as at
from xenos.engines.llvm.lines import FLOATS, UNLIKELY
from xenos.semantics.operations import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenos.engines.llvm.lines import Lines
    from xenos.engines.region.graph import Node, Place
    from xenos.semantics.decoder import Decoded
    from xenos.semantics.instruction import Form
    from xenos.semantics.values import Value

MIXED = 0       # of numbers of different widths: taken as loaded
TESTS = {"feq", "flt", "fle", "flt_quiet", "fle_quiet"}
_COMPUTED = {"fadd", "fsub", "fmul", "fdiv", "fsqrt", "fma", "fconvert", "fround", "fmin_number", "fmax_number", "fmin", "fmax",
             "int_to_float"}


def computes(decoded: Decoded, zeros: dict[str, int | None]) -> int:
    """The width of the number that an instruction computes for a register; 0 if it does not. Zero counts as computed."""
    for op in decoded.form.effects:
        if op.op == "write":
            return _width(op.args[0], decoded, zeros)
    return 0


def settled(decoded: Decoded) -> bool:
    """Whether what an instruction computes is canonical already: hosts look at the result of this one themselves."""
    for op in decoded.form.effects:
        if op.op == "write":
            value = op.args[0]
            return (value.args[0] if value.op == "box" else value).op == "fma"
    return False


def _width(value: Value, decoded: Decoded, zeros: dict[str, int | None]) -> int:
    if value.op == "box":
        return _width(value.args[0], decoded, zeros) if value.args[0].width == 32 else 0
    if value.op in _COMPUTED:
        return value.width if value.width in (32, 64) else 0
    while value.op == "extract":
        value = value.args[0]
    if value.op == "read" and isinstance(value.attr("field"), str):
        number = zeros.get(value.attr("file"))
        if number is not None and decoded.operands[value.attr("field")] == number:
            return 32 if any(op.op == "box" for op in decoded.form.effects) else 64
    return 0


def straight(form: Form, floating: Callable[[Value], bool]) -> bool:
    """Whether all numbers that a form computes go into floating-point registers as they are, and nowhere else: only there is it
    known that they are still to be made canonical. `floating` tells it of a write."""
    known: bool | None = getattr(form, "straight", None)
    if known is None:
        known = form.straight = all(    # type: ignore[attr-defined]
            user.op == "write" and floating(user) or user.op == "box" and all(
                last.op == "write" and floating(last) for last in _users(form, user))
            for op in form.effects if op.op in _COMPUTED for user in _users(form, op))
    return known


def _users(form: Form, value: Value) -> list[Value]:
    return [op for op in form.effects if any(arg.number == value.number for arg in op.args)]


def tolerant(form: Form, width: int) -> frozenset[int]:
    """The reads of a form that do not mind which NaN of a computed number of that width they get, by number."""
    known: dict[int, frozenset[int]] | None = getattr(form, "tolerant", None)
    if known is None:
        users: dict[int, list[Value]] = {}
        for op in form.effects:
            for arg in op.args:
                users.setdefault(arg.number, []).append(op)
        fine = frozenset(op.number for op in form.effects if op.op == "read" and _fine(op, users))
        # A double NaN may look like a boxed single number, which the canonical one does not.
        known = {32: fine, 64: frozenset(op.number for op in form.effects if op.number in fine and not _opened(op, users))}
        form.tolerant = known       # type: ignore[attr-defined]
    return known.get(width, frozenset())


def _fine(value: Value, users: dict[int, list[Value]]) -> bool:
    for user in users.get(value.number, []):
        if TABLE[user.op].effect == "fp" or user.op == "fclassify":
            continue
        # To change the sign of an operand is to change that of a NaN, which the operation does not look at.
        if user.op == "unbox" and user.width == 32 or user.op == "xor" and any(a.op == "const" for a in user.args):
            if _fine(user, users):
                continue
        return False
    return True


def _opened(value: Value, users: dict[int, list[Value]]) -> bool:
    """Whether a narrower number is taken out of a value."""
    return any(user.op == "unbox" or user.op == "xor" and _opened(user, users) for user in users.get(value.number, []))


def boxed(emit: Lines, bits: str) -> str:
    """A single number's bits as a register holds them. LLVM sees the ones above, and leaves boxes away that are opened again."""
    return emit.line(f"or i64 {emit.line(f'zext i32 {bits} to i64')}, {0xFFFF_FFFF_0000_0000}")


def copied(decoded: Decoded) -> tuple[Value, Value, int] | None:
    """If an instruction only copies a floating-point register: how it reads and writes, and the width that is copied."""
    writes = [op for op in decoded.form.effects if op.op == "write"]
    value = writes[0].args[0] if len(writes) == 1 else None
    if value is not None and value.op == "box":
        value = value.args[0]
    if value is None or value.op != "or" or {a.op for a in value.args} != {"and"}:
        return None
    masks, reads = 0, []
    for one in value.args:
        source, mask = one.args
        if mask.op != "const":
            return None
        masks ^= mask.attr("value")
        source = source.args[0] if source.op == "unbox" else source
        if source.op != "read" or not isinstance(source.attr("field"), str):
            return None
        reads.append(source)
    if masks != (1 << value.width) - 1 or len({decoded.operands[r.attr("field")] for r in reads}) != 1:
        return None
    if {r.attr("file") for r in reads} != {writes[0].attr("file")}:
        return None
    return reads[0], writes[0], value.width


def quietly(saves: Decoded, compares: Decoded, restores: Decoded) -> bool:
    """Whether three instructions compare as if no flag could be raised: flags are read, two numbers compared, flags set again.

    Compilers make that of a quiet comparison where the guest has only signaling ones.
    """
    first, second, third = saves.form.effects, compares.form.effects, restores.form.effects
    if [op.op for op in first] != ["get_flags", "write"] or not any(op.op in TESTS for op in second):
        return False
    kept = saves.operands.get(first[1].attr("field"), -1)
    if any(op.op == "write" and compares.operands.get(op.attr("field")) == kept for op in second):
        return False
    reads = [op for op in third if op.op == "read"]
    if len(reads) != 1 or restores.operands.get(reads[0].attr("field")) != kept or reads[0].attr("file") != first[1].attr("file"):
        return False
    return any(op.op == "set_flags" and _mere(op.args[0], reads[0]) for op in third)


def _mere(value: Value, read: Value) -> bool:
    """Whether a value is what was read, or its lower bits."""
    while value.op in ("extract", "and") and value is not read:
        value = value.args[0]
    return value is read


def canonical(emit: Lines, bits: str, width: int, *, leaving: bool = False) -> str:
    """The bits of a register that holds a computed number, as the guest sees them. Where many are looked at once and then never
    again, `leaving`, it is not worth a branch, of which LLVM makes two blocks."""
    n, before = emit.name()[2:], emit.block
    number = emit.line(f"trunc i64 {bits} to i32") if width == 32 else bits
    type_ = FLOATS[width]
    value = emit.line(f"bitcast i{width} {number} to {type_}")
    nan = emit.call("i1", f"llvm.experimental.constrained.fcmp.f{width}", f"{type_} {value}", f"{type_} {value}",
                    metadata=("uno", "fpexcept.strict"))
    if leaving:
        return emit.line(f"select i1 {nan}, i64 {known_nan(emit, width)}, i64 {bits}")
    emit.do(f"br i1 {nan}, label %nan{n}, label %fine{n}, {UNLIKELY}")
    emit.label(f"nan{n}")
    known = known_nan(emit, width)
    emit.do(f"br label %fine{n}")
    emit.label(f"fine{n}")
    return emit.line(f"phi i64 [ {bits}, %{before} ], [ {known}, %nan{n} ]")


def known_nan(emit: Lines, width: int) -> str:
    """The bits of a register that holds the guest's canonical NaN."""
    return emit.load_state(at.CANONICAL_NAN32 if width == 32 else at.CANONICAL_NAN64)


def foreign(emit: Lines, bits: str, width: int) -> str:
    """Whether a register holds anything but a number of that width or its canonical NaN; looks at bits alone, raising no flag."""
    number = emit.line(f"trunc i64 {bits} to i32") if width == 32 else bits
    magnitude = emit.line(f"and i{width} {number}, {(1 << width - 1) - 1}")
    nan = emit.line(f"icmp ugt i{width} {magnitude}, {0x7F80_0000 if width == 32 else 0x7FF0_0000_0000_0000}")
    known = known_nan(emit, width)
    other = emit.line(f"and i1 {nan}, {emit.line(f'icmp ne i64 {bits}, {known}')}")
    if width == 64:
        return other
    unboxed = emit.line(f"icmp ult i64 {bits}, {0xFFFF_FFFF_0000_0000}")
    return emit.line(f"or i1 {other}, {unboxed}")


class Numbers:
    """For each node, the registers that hold computed numbers when it begins: offset -> width."""

    def __init__(self, nodes: dict[Place, Node], written: dict[Place, dict[int, int]]) -> None:
        """`written` gives, for each node, the floating-point registers that it writes: offset -> width, 0 if not
        computed; inverted, the offset of the register that it is a copy of."""
        self.before: dict[Place, dict[int, int]] = {place: {} for place in nodes}
        work = list(nodes)
        while work:
            place = work.pop()
            before = self.before[place]
            after = before | {to: width if width >= 0 else before.get(~width, 0) for to, width in written[place].items()}
            for goal in nodes[place].goes:
                known, changed = self.before[goal], False
                for offset, width in after.items():
                    if width and offset not in known:
                        known[offset], changed = width, True
                    elif width and known[offset] not in (width, MIXED):
                        known[offset], changed = MIXED, True
                if changed:
                    work.append(goal)
