"""Random programs with a shape: functions, nested loops, recursion, calls and jumps through tables, code that changes itself.

What stands between the jumps is drawn as for random blocks: all forms, few registers again and again. Every program ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from engines.wild_blocks import ASSEMBLER, BASES, KEPT, WildBlocks

# Further registers that only control writes: tables, the stack, how deep recursion may go still.
TABLES, STACK, FUEL = 3, 4, 27
CONTROL = frozenset((*KEPT, TABLES, STACK, FUEL))
# Tables, the stack, and behind a gap the data: what stores at random stays in that.
AWAY = 0x3800_0000
AWAY_SIZE = 0xA000
STACK_END = AWAY + 0x4000
DATA = AWAY + 0x7000
DATA_SIZE = 0x3000
NOWHERE = 0x5_0000_0000
ENTRIES = 4             # of a table
LEAF = 3                # functions from this one on call nothing, and keep where they return to in a register

Item = tuple[str, str] | bytes      # (line with a label in braces, that label), ("", a label that is here), or instructions


@dataclass(frozen=True)
class Program:
    """Code for a place in memory, what lies in `AWAY` when it begins there, registers, and the mode that it rounds in."""

    code: bytes
    away: bytes
    x: dict[int, int]
    f: dict[int, int]
    rounding: int


class WildPrograms:
    """Makes programs, the same ones for the same seed. With `faults`, some touch memory that is not there."""

    def __init__(self, seed: int | str, *, faults: bool = False) -> None:
        self.blocks = WildBlocks(seed)
        self.random = self.blocks.random
        self.faults = faults
        self.plain = [t for t in self.blocks.templates if not t.relative and not t.jumps and not t.seldom]
        self.floating = [t for t in self.plain if "f" in t.files]
        self.templates = self.plain
        self.items: list[Item] = []
        self.labels = 0
        self.pushed = 0
        self.tables: list[list[str]] = []
        self.patches: list[str] = []

    def program(self, address: int) -> Program:
        """One program that is to lie there."""
        r = self.random
        self.items, self.labels, self.tables, self.patches, self.pushed = [], 0, [], [], 0
        self.pool = r.randrange(len(self.blocks.pools))
        self.templates = r.choice((self.plain, self.floating))
        self._statements(0, 2)
        self._line("c.ebreak", 2)
        for number in range(1, LEAF + 2):
            self._function(number)
        code, places = self._placed(address)
        x = dict(enumerate(r.choices(self.blocks.integers, k=32)))
        x |= {base: DATA + DATA_SIZE // 2 + 64 * r.randrange(-8, 8) for base in BASES}
        x |= {0: 0, TABLES: AWAY, STACK: STACK_END, FUEL: r.randrange(6)}
        away = b"".join(places[label].to_bytes(8, "little") for table in self.tables for label in table)
        assert len(away) < 0x1000
        away = away.ljust(DATA - AWAY, b"\0") + r.randbytes(DATA_SIZE)
        return Program(code, away, x, dict(enumerate(r.choices(self.blocks.floats, k=32))), r.randrange(4))

    # Text.

    def _line(self, text: str, size: int = 4) -> None:
        self.items.append(_word(text, size))

    def _jump(self, text: str, label: str) -> None:
        self.items.append((text, label))

    def _label(self, name: str = "") -> str:
        self.labels += 1
        return name or f"l{self.labels}"

    def _here(self, label: str) -> None:
        self.items.append(("", label))

    def _placed(self, address: int) -> tuple[bytes, dict[str, int]]:
        """Bytes, with labels settled, and where those are."""
        places: dict[str, int] = {}
        at = address
        for item in self.items:
            if isinstance(item, bytes):
                at += len(item)
            elif item[0]:
                at += 8 if item[0].startswith("auipc") else 4
            else:
                places[item[1]] = at
        code = b""
        for item in self.items:
            if isinstance(item, bytes):
                code += item
            elif item[0]:
                far = places[item[1]] - address - len(code)
                if item[0].startswith("auipc"):
                    code += _word(item[0].format((far + 0x800 >> 12) & 0xFFFFF))
                    far = (far & 0xFFF) - ((far & 0x800) << 1)
                    code += _word(f"addi t0, t0, {far}")
                else:
                    code += _word(item[0].format(far))
        return code, places

    # Shape.

    def _function(self, number: int) -> None:
        self._here(f"f{number}")
        if number > LEAF:
            self._straight()
            self._line("jalr zero, 0(t0)")
            return
        self._push(1)
        self.pushed = 0
        self._statements(number, 1)
        self._return()

    def _return(self) -> None:
        if self.pushed:
            self._line(f"addi x{STACK}, x{STACK}, {16 * self.pushed}")
        self._pop(1)
        self._line("jalr zero, 0(ra)")

    def _push(self, register: int) -> None:
        self._line(f"addi x{STACK}, x{STACK}, -16")
        self._line(f"sd x{register}, 0(x{STACK})")

    def _pop(self, register: int) -> None:
        self._line(f"ld x{register}, 0(x{STACK})")
        self._line(f"addi x{STACK}, x{STACK}, 16")

    def _statements(self, function: int, depth: int) -> None:
        r = self.random
        for _ in range(r.randrange(2, 5)):
            self._straight()
            kinds = [self._choice, self._call, self._table_call, self._environment, self._change, self._recursion]
            if depth:
                kinds += [self._loop, self._loop, self._switch]
            r.choice(kinds)(function, depth)
        self._straight()

    def _straight(self) -> None:
        r = self.random
        for template in r.choices(self.templates, k=r.randrange(1, 7)):
            ours = template.draw(r, self.pool)
            if ours is None:
                continue
            written = [template.operands[name] for name in template.written]
            if any((ours[of] if isinstance(of, str) else of) in CONTROL for of in written):
                continue
            self.items.append(template.pattern.encode(ours).to_bytes(template.pattern.width // 8, "little"))

    def _some(self) -> str:
        return f"x{self.random.choice((10, 11, 12, 13, 14, 15, 30))}"

    def _choice(self, function: int, depth: int) -> None:
        """if, else; at times a return in the middle."""
        r, other, behind = self.random, self._label(), self._label()
        self._jump(f"{r.choice(('beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'))} {self._some()}, {self._some()}, {{}}", other)
        self._straight()
        if function and r.random() < 0.3:
            self._return()
        else:
            self._jump("jal zero, {}", behind)
        self._here(other)
        self._straight()
        if self.faults and r.random() < 0.3:
            self._line(f"lui t3, {NOWHERE >> 16:#x}")
            self._line("slli t3, t3, 4")
            self._line(r.choice((f"ld {self._some()}, 8(t3)", f"sw {self._some()}, 8(t3)", "fld fa0, 0(t3)", "cbo.zero (t3)")))
        self._here(behind)

    def _loop(self, function: int, depth: int) -> None:
        top = self._label()
        self._push(31)
        self.pushed += 1
        self._line(f"addi x31, zero, {self.random.randrange(1, 5)}")
        self._here(top)
        self._statements(function, depth - 1)
        self._line("addi x31, x31, -1")
        behind = self._label()
        self._jump("beq x31, zero, {}", behind)
        self._jump("jal zero, {}", top)
        self._here(behind)
        self.pushed -= 1
        self._pop(31)

    def _call(self, function: int, depth: int) -> None:
        if function + 1 > LEAF or self.random.random() < 0.3:
            self._jump("jal t0, {}", f"f{LEAF + 1}")
        else:
            self._jump("jal ra, {}", f"f{self.random.randrange(function + 1, LEAF + 1)}")

    def _recursion(self, function: int, depth: int) -> None:
        behind = self._label()
        if function:
            self._jump(f"beq x{FUEL}, zero, {{}}", behind)
            self._line(f"addi x{FUEL}, x{FUEL}, -1")
            self._jump("jal ra, {}", f"f{function}")
            self._here(behind)

    def _through(self, labels: list[str]) -> None:
        """Load one of some addresses."""
        place = 8 * ENTRIES * len(self.tables)
        self.tables.append(labels)
        self._line(f"andi t3, {self._some()}, {8 * (ENTRIES - 1)}")
        self._line(f"add t3, t3, x{TABLES}")
        self._line(f"ld t3, {place}(t3)")

    def _table_call(self, function: int, depth: int) -> None:
        if function + 1 > LEAF:
            self._through([f"f{LEAF + 1}"] * ENTRIES)
            self._line("jalr t0, 0(t3)")
        else:
            self._through([f"f{self.random.randrange(function + 1, LEAF + 1)}" for _ in range(ENTRIES)])
            self._line("jalr ra, 0(t3)")

    def _switch(self, function: int, depth: int) -> None:
        cases = [self._label() for _ in range(ENTRIES)]
        behind = self._label()
        self._through(cases)
        self._line("jalr zero, 0(t3)")
        for case in cases:
            self._here(case)
            self._straight()
            if self.random.random() < 0.7:
                self._jump("jal zero, {}", behind)
        self._here(behind)

    def _environment(self, function: int, depth: int) -> None:
        """How it is rounded, and which flags were raised."""
        r = self.random
        self._line(r.choice((f"csrrwi zero, frm, {r.randrange(4)}", f"csrr {self._some()}, fflags",
                             f"csrrwi {self._some()}, fflags, {r.randrange(32)}", f"csrr {self._some()}, fcsr",
                             f"csrrw {self._some()}, fflags, {self._some()}")))
        if r.random() < 0.04:
            self._line("csrrwi zero, frm, 4")
        if r.random() < 0.4:
            # As compilers compare quietly, or nearly so.
            kept, result, a, b = self._some(), self._some(), r.randrange(10, 18), r.randrange(10, 18)
            self._line(f"csrr {kept}, fflags")
            self._line(f"{r.choice(('flt', 'fle', 'feq'))}.{r.choice('sd')} {result}, f{a}, f{b}")
            self._line(f"csrrw zero, fflags, {r.choice((kept, kept, kept, self._some()))}")

    def _change(self, function: int, depth: int) -> None:
        """Write another instruction, somewhere in the code that was made so far or here."""
        r = self.random
        if not self.patches or r.random() < 0.4:
            label = self._label()
            self._here(label)
            self._line(f"addi {self._some()}, {self._some()}, 1")
            self.patches.append(label)
            return
        register = self._some()
        word = ASSEMBLER.assemble(f"addi {register}, {register}, {r.randrange(2, 9)}")
        self._line(f"lui t3, {(word + 0x800 >> 12) & 0xFFFFF:#x}")
        self._line(f"addi t3, t3, {(word & 0xFFF) - ((word & 0x800) << 1)}")
        self._jump("auipc t0, {}", r.choice(self.patches))
        self._line("sw t3, 0(t0)")
        self._line("fence.i")


def _word(line: str, size: int = 4) -> bytes:
    return ASSEMBLER.assemble(line).to_bytes(size, "little")
