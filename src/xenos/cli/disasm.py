"""`xenos disasm`: the instructions of an ELF file, as text in the manner of objdump or as JSON."""

from __future__ import annotations

import io
import json
import sys

from xenos.api.elf_file import Code, ElfFile, Labels
from xenos.cli.main import printable
from xenos.errors import LoadError, UsageError
from xenos.isa import ELF_MACHINES, find_guest
from xenos.semantics.decoder import Decoded
from xenos.semantics.disassembler import Disassembler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenos.isa.guest import Guest

HELP = """\
xenos disasm [--json] FILE

Shows the instructions of an ELF file (a program, a library or an object file) with their addresses, bytes and symbols.

  --json    one JSON document: {"file", "guest", "entry", "sections": [{"name", "address", "instructions": [...]}]};
            an instruction has "address", "bytes" (as in memory), "text", "symbol" where one stands there, and "target"
            where it jumps to a fixed address
"""


def main(words: list[str]) -> int:
    """The subcommand; gives the exit status."""
    if "--help" in words or "-h" in words:
        sys.stdout.write(HELP)
        return 0
    as_json = "--json" in words
    files = [word for word in words if word != "--json"]
    if len(files) == 2 and files[0] == "--":
        files = files[1:]
    elif any(word.startswith("-") for word in files):
        raise UsageError(f"there is no option {next(w for w in files if w.startswith('-'))}; see xenos disasm --help")
    if len(files) != 1:
        raise UsageError("one file to disassemble is wanted; see xenos disasm --help")
    file = ElfFile(files[0])
    listing = Listing(file)
    if isinstance(sys.stdout, io.TextIOWrapper):    # names are whatever bytes their files hold
        sys.stdout.reconfigure(errors="backslashreplace")
    if as_json:
        _print_json(file, listing)
    else:
        _print_text(file, listing)
    return 0


class Line:
    """One instruction. `target` is where it jumps, or -1."""

    __slots__ = ("address", "bytes", "label", "target", "text")

    def __init__(self, address: int, data: bytes, text: str, label: str, target: int) -> None:
        self.address = address
        self.bytes = data
        self.text = text
        self.label = label
        self.target = target


class Listing:
    """The instructions of a file; LoadError where it is for another machine or has no code."""

    def __init__(self, file: ElfFile) -> None:
        name = ELF_MACHINES.get(file.machine)
        if name is None:
            from xenos.isa.elf_machines import NAMES

            what = NAMES.get(file.machine, f"ELF machine {file.machine}")
            raise LoadError(f"{file.path}: for {what}, of which no instruction is described here")
        self.guest: Guest = find_guest(name)
        self.parts = file.code()
        if not self.parts:
            raise LoadError(f"{file.path}: has no code, or is truncated")
        self._file = file
        self._symbols = file.symbols()
        self._set = self.guest.instructions()
        self._disassembler = Disassembler(self._set, self.guest.names)

    def labels(self, part: Code) -> Labels:
        """What addresses in that code are called. Sections of object files all start at 0, each with its own names."""
        if self._file.relocatable:
            return Labels([symbol for symbol in self._symbols if symbol.section == part.index])
        return Labels(self._symbols)

    def lines(self, part: Code) -> Iterator[Line]:
        """Every instruction of a stretch of code, one behind the other."""
        labels = self.labels(part)
        data, at = part.data, 0
        while at < len(data):
            length = self._set.length(int.from_bytes(data[at : at + 2], "little"))
            raw = data[at : at + length]
            address = part.address + at
            decoded = self._set.decoder.decode(int.from_bytes(raw, "little"), length) if len(raw) == length else None
            label = ", ".join(symbol.name for symbol in labels.at(address))
            if decoded is None:
                yield Line(address, raw, f".{len(raw)}byte {int.from_bytes(raw, 'little'):#x}", label, -1)
            else:
                text = self._disassembler.text(decoded, address)
                target = _target(decoded, address)
                name = labels.describe(target) if target >= 0 else ""
                yield Line(address, raw, f"{text} <{name}>" if name else text, label, target)
            at += len(raw)


def _target(decoded: Decoded, pc: int) -> int:
    """Where a jump goes if its encoding says so, else -1."""
    relative = decoded.form.relative
    return pc + decoded.operands[relative] & (1 << 64) - 1 if relative else -1


def _print_text(file: ElfFile, listing: Listing) -> None:
    out = sys.stdout.write
    out(f"{printable(file.path)}: {listing.guest.name}, entry {file.entry:#x}\n")
    for part in listing.parts:
        out(f"\n{printable(part.name) or 'code'} at {part.address:#x}:\n")
        for line in listing.lines(part):
            if line.label:
                out(f"\n{line.address:016x} <{printable(line.label)}>:\n")
            word = int.from_bytes(line.bytes, "little")
            text = printable(line.text)     # with the name of a target
            out(f"{line.address:8x}:  {word:0{2 * len(line.bytes)}x}{'':{10 - 2 * len(line.bytes)}}{text}\n")


def _print_json(file: ElfFile, listing: Listing) -> None:
    out = sys.stdout.write
    head = {"file": file.path, "guest": listing.guest.name, "entry": file.entry}
    out(json.dumps(head)[:-1] + ', "sections": [')
    for number, part in enumerate(listing.parts):
        out(",\n" if number else "\n")
        out(json.dumps({"name": part.name, "address": part.address})[:-1] + ', "instructions": [')
        for index, line in enumerate(listing.lines(part)):
            facts: dict[str, object] = {"address": line.address, "bytes": line.bytes.hex(), "text": line.text}
            if line.label:
                facts["symbol"] = line.label
            if line.target >= 0:
                facts["target"] = line.target
            out((",\n  " if index else "\n  ") + json.dumps(facts))
        out("]}")
    out("]}\n")
