"""The compiler of that small part of Python to LLVM's text.

Every value is a signed number of 64 bits that wraps. There are whole numbers, names of numbers in the module, local variables,
`+ - * & | ^ << >> ~`, comparisons, `and`, `or`, `not`, `x if c else y`; `if`, `while` with `break` and `continue`,
`for i in range(...)`, `return`; memory as in `words.py`; and calls of other such functions. A function is read from its source
and never executed; anything else in it is an error that names the line.
"""

from __future__ import annotations

import ast
import inspect
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from xenos.engines.native.words import Words, ask, call, observe, publish
from xenos.errors import EngineError

_ARITHMETIC = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
               ast.LShift: "shl", ast.RShift: "ashr"}
_ORDER = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "slt", ast.LtE: "sle", ast.Gt: "sgt", ast.GtE: "sge"}
# Nothing may become a call of the C library, nor refer to tables outside the code.
_ATTRIBUTES = 'attributes #0 = { nounwind "no-builtins" "no-jump-tables"="true" }\n'


def translate(modules: list[ModuleType], exported: set[str]) -> str:
    """A module of LLVM text with all functions that these Python modules define; those `exported` can be called from C."""
    text: dict[str, str] = {}
    for module in modules:
        for name, one in vars(module).items():
            if isinstance(one, FunctionType) and one.__module__ == module.__name__:
                if name in text:
                    raise EngineError(f"{module.__name__}: there is a function `{name}` elsewhere")
                text[name] = _Function(one, name in exported).text()
    return _ATTRIBUTES + "".join(text.values())


class _Function:
    """One function on its way to text. Locals lie on the stack; LLVM moves them to registers."""

    def __init__(self, function: FunctionType, exported: bool) -> None:
        lines, self._first = inspect.getsourcelines(function)
        tree = ast.parse("".join(lines)).body[0]
        assert isinstance(tree, ast.FunctionDef)
        self._tree = tree
        self._module = function.__module__
        self._names: dict[str, Any] = function.__globals__
        self._exported = exported
        self._body: list[str] = []
        self._locals = {a.arg: f"%{a.arg}.v" for a in tree.args.args}
        self._count = 0
        self._loops: list[tuple[str, str]] = []     # where `continue` and `break` go

    def text(self) -> str:
        """The definition."""
        names = list(self._locals)
        for statement in self._tree.body:
            self._statement(statement)
        begin = "".join(f" {slot} = alloca i64\n" for slot in self._locals.values())
        begin += "".join(f" store i64 %{name}, ptr {self._locals[name]}\n" for name in names)
        linkage = "dso_local" if self._exported else "internal"
        said = [one for one in self._tree.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        inline = "" if self._exported or len(said) > 1 else " alwaysinline"
        return (f"define {linkage} i64 @{self._tree.name}({', '.join(f'i64 %{n}' for n in names)}){inline} #0 {{\nentry:\n{begin}"
                + "".join(line + "\n" for line in self._body) + " ret i64 0\n}\n")

    def _refuse(self, node: ast.AST, why: str) -> NoReturn:
        line = self._first + getattr(node, "lineno", 1) - 1
        raise EngineError(f"{self._module}, line {line}: {why}")

    def _do(self, line: str) -> None:
        self._body.append(" " + line)

    def _value(self, line: str) -> str:
        self._count += 1
        self._do(f"%t{self._count} = {line}")
        return f"%t{self._count}"

    def _label(self, name: str) -> str:
        self._count += 1
        return f"{name}{self._count}"

    def _begin(self, label: str) -> None:
        self._do(f"br label %{label}")
        self._body.append(f"{label}:")

    # Statements.

    def _block(self, statements: list[ast.stmt], after: str) -> None:
        for statement in statements:
            self._statement(statement)
        self._do(f"br label %{after}")

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                for target, held in zip(targets, [self._expression(value) for value in values], strict=True):
                    self._assign(target, held)
            case ast.Assign(targets=targets, value=value):
                held = self._expression(value)
                for target in targets:
                    self._assign(target, held)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self._expression(value))
            case ast.AugAssign(target=target, op=op, value=value):
                if isinstance(target, ast.Subscript):
                    where, words = self._address(target), self._words(target)
                    self._store(words, where, self._binary(node, op, self._load(words, where), self._expression(value)))
                else:
                    self._assign(target, self._binary(node, op, self._expression(target), self._expression(value)))
            case ast.If():
                self._if(node)
            case ast.While():
                self._while(node)
            case ast.For():
                self._for(node)
            case ast.Return(value=value):
                self._do(f"ret i64 {self._expression(value) if value is not None else 0}")
                self._body.append(f"{self._label('dead')}:")
            case ast.Break() | ast.Continue():
                if not self._loops:
                    self._refuse(node, "not in a loop")
                self._do(f"br label %{self._loops[-1][isinstance(node, ast.Break)]}")
                self._body.append(f"{self._label('dead')}:")
            case ast.Expr(value=ast.Constant(value=str())) | ast.Pass():
                pass
            case ast.Expr(value=ast.Call() as value):
                self._call(value)
            case _:
                self._refuse(node, f"{type(node).__name__} is not of the part of Python that is compiled")

    def _assign(self, target: ast.expr, value: str) -> None:
        if isinstance(target, ast.Name):
            slot = self._locals.setdefault(target.id, f"%{target.id}.v")
            self._do(f"store i64 {value}, ptr {slot}")
        elif isinstance(target, ast.Subscript):
            self._store(self._words(target), self._address(target), value)
        else:
            self._refuse(target, "cannot be assigned to")

    def _if(self, node: ast.If) -> None:
        yes, no, end = self._label("then"), self._label("else"), self._label("end")
        self._branch(node.test, yes, no)
        self._body.append(f"{yes}:")
        self._block(node.body, end)
        self._body.append(f"{no}:")
        self._block(node.orelse, end)
        self._body.append(f"{end}:")

    def _while(self, node: ast.While) -> None:
        again, body, end = self._label("again"), self._label("body"), self._label("done")
        self._begin(again)
        self._branch(node.test, body, end)
        self._body.append(f"{body}:")
        self._loops.append((again, end))
        self._block(node.body, again)
        self._loops.pop()
        self._body.append(f"{end}:")

    def _for(self, node: ast.For) -> None:
        match node:
            case ast.For(target=ast.Name() as name, iter=ast.Call(func=ast.Name(id="range"), args=[*ends])) if len(ends) < 3:
                pass
            case _:
                self._refuse(node, "only `for name in range(...)` is compiled")
        first = self._expression(ends[0]) if len(ends) == 2 else "0"
        behind = self._expression(ends[-1])
        self._assign(name, first)
        again, body, more, end = (self._label(n) for n in ("again", "body", "more", "done"))
        self._begin(again)
        inside = self._value(f"icmp slt i64 {self._expression(name)}, {behind}")
        self._do(f"br i1 {inside}, label %{body}, label %{end}")
        self._body.append(f"{body}:")
        self._loops.append((more, end))
        self._block(node.body, more)
        self._loops.pop()
        self._body.append(f"{more}:")
        self._assign(name, self._value(f"add i64 {self._expression(name)}, 1"))
        self._do(f"br label %{again}")
        self._body.append(f"{end}:")

    # Expressions.

    def _expression(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=int() as number):
                return str(int(number) if number < 1 << 63 else number - (1 << 64))
            case ast.Name(id=name):
                if name in self._locals:
                    return self._value(f"load i64, ptr {self._locals[name]}")
                return self._number(node, name, self._names.get(name))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if isinstance(self._names.get(name), ModuleType):
                return self._number(node, attribute, vars(self._names[name]).get(attribute))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, op, self._expression(left), self._expression(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._value(f"sub i64 0, {self._expression(operand)}")
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return self._value(f"xor i64 -1, {self._expression(operand)}")
            case ast.Subscript():
                return self._load(self._words(node), self._address(node))
            case ast.Call():
                return self._call(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._choose(test, body, orelse)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return self._choose(node, ast.Constant(1), ast.Constant(0))
        self._refuse(node, f"{type(node).__name__} is not of the part of Python that is compiled")

    def _number(self, node: ast.expr, name: str, value: object) -> str:
        if not isinstance(value, int):
            self._refuse(node, f"`{name}` is no number")
        return str(value)

    def _binary(self, node: ast.AST, op: ast.operator, left: str, right: str) -> str:
        name = _ARITHMETIC.get(type(op))
        if name is None:
            self._refuse(node, f"no {type(op).__name__} here")
        return self._value(f"{name} i64 {left}, {right}")

    def _choose(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        yes, no, end = self._label("then"), self._label("else"), self._label("end")
        slot = self._locals.setdefault(f"choice{self._count}", f"%choice{self._count}.v")
        self._branch(test, yes, no)
        for label, one in ((yes, body), (no, orelse)):
            self._body.append(f"{label}:")
            self._do(f"store i64 {self._expression(one)}, ptr {slot}")
            self._do(f"br label %{end}")
        self._body.append(f"{end}:")
        return self._value(f"load i64, ptr {slot}")

    def _branch(self, node: ast.expr, yes: str, no: str) -> None:
        """Go to one of two labels."""
        match node:
            case ast.BoolOp(op=op, values=values):
                for one in values[:-1]:
                    onward = self._label("more")
                    self._branch(one, *((onward, no) if isinstance(op, ast.And) else (yes, onward)))
                    self._body.append(f"{onward}:")
                self._branch(values[-1], yes, no)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._branch(operand, no, yes)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _ORDER:
                held = self._value(f"icmp {_ORDER[type(op)]} i64 {self._expression(left)}, {self._expression(right)}")
                self._do(f"br i1 {held}, label %{yes}, label %{no}")
            case ast.Compare():
                self._refuse(node, "one comparison at a time, of numbers")
            case _:
                held = self._value(f"icmp ne i64 {self._expression(node)}, 0")
                self._do(f"br i1 {held}, label %{yes}, label %{no}")

    def _call(self, node: ast.Call) -> str:
        if not isinstance(node.func, ast.Name) or node.keywords:
            self._refuse(node, "only functions of this part of Python are called")
        target = self._names.get(node.func.id)
        words = [self._expression(a) for a in node.args]
        if target is publish or target is observe:
            self._do("fence release" if target is publish else "fence acquire")
            return "0"
        if target is call:
            function = self._value(f"inttoptr i64 {words[0]} to ptr")
            self._do(f"call void {function}(i64 {words[1]}, i64 {words[2]})")
            return "0"
        if target is ask:
            function = self._value(f"inttoptr i64 {words[0]} to ptr")
            return self._value(f"call i64 {function}({', '.join(f'i64 {w}' for w in words[1:])})")
        if not isinstance(target, FunctionType):
            self._refuse(node, f"`{node.func.id}` is no function of this part of Python")
        if target.__code__.co_argcount != len(words):
            self._refuse(node, f"`{node.func.id}` takes {target.__code__.co_argcount} arguments")
        return self._value(f"call i64 @{target.__name__}({', '.join(f'i64 {w}' for w in words)})")

    # Memory.

    def _words(self, node: ast.Subscript) -> Words:
        words = self._names.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if not isinstance(words, Words):
            self._refuse(node, "memory is written as u8, u16, u32, i32 or i64 with an address")
        return words

    def _address(self, node: ast.Subscript) -> str:
        """A pointer. That it is base + offset is not hidden from LLVM, for its addressing modes."""
        return self._value(f"inttoptr i64 {self._expression(node.slice)} to ptr")

    def _load(self, words: Words, where: str) -> str:
        if words.bits == 64:
            return self._value(f"load i64, ptr {where}, align 1")
        found = self._value(f"load i{words.bits}, ptr {where}, align 1")
        return self._value(f"{'s' if words.signed else 'z'}ext i{words.bits} {found} to i64")

    def _store(self, words: Words, where: str, value: str) -> None:
        if words.bits < 64:
            value = self._value(f"trunc i64 {value} to i{words.bits}")
        self._do(f"store i{words.bits} {value}, ptr {where}, align 1")
