"""Small rooms with a caption, streets that lead downward, and no guest named outside its own rooms."""

from __future__ import annotations

import ast
import re

from house.files import ROOT, SOURCE, imports, module_name, python_files, written_files
from house.streets import STREETS, room_of

MOST_LINES = 400
# Names of instruction sets, as words: `arm` is in `alarm`.
NAMES = re.compile(r"(?<![a-z0-9])(riscv(32|64)?|risc-v|rv(32|64)[a-z]*|arm(64|v\d+)?|aarch64|x86|x64|amd64|i[3-6]86"
                   r"|mips(64)?|ppc(64)?|powerpc|s390x?|loongarch(64)?|sparc(64)?)(?![a-z0-9])", re.IGNORECASE)
# Where they may stand: a guest in its folder and in the list of guests, a host where hosts are told apart.
MAY_NAME = ("isa/", "machine/boards/", "engines/hosts/", "linux/hosts/")


def test_no_file_is_longer_than_a_room_may_be() -> None:
    long = {str(path.relative_to(ROOT)): lines for path in written_files()
            if (lines := len(path.read_bytes().splitlines())) > MOST_LINES}
    assert not long


def test_every_file_opens_with_a_sentence() -> None:
    bare = []
    for path in python_files("src", "tests", "bench"):
        text = ast.get_docstring(ast.parse(path.read_bytes()))
        first = (text or "").split("\n\n")[0].rstrip()
        if not first.endswith((".", ":")):
            bare.append(f"{path.relative_to(ROOT)}: {first[:60]}")
    assert not bare


def test_no_guest_is_named_outside_its_rooms() -> None:
    named = [f"{path.relative_to(ROOT)}:{number}: {match[0]}"
             for path in python_files("src")
             if not str(path.relative_to(SOURCE)).startswith(MAY_NAME)
             for number, line in enumerate(path.read_text().splitlines(), 1)
             for match in NAMES.finditer(line)]
    assert not named


def test_names_are_matched_as_words() -> None:
    assert not NAMES.search("alarm, farm, x864, harmless, armed")
    assert NAMES.search("elf_riscv64") and NAMES.search("RISC-V") and NAMES.search("an x86 host")


def test_imports_lead_downward() -> None:
    wrong = [f"{path.relative_to(ROOT)}:{line}: {room or 'xenos'} imports {other or 'xenos'}"
             for path in python_files("src")
             for room in [room_of(module_name(path))]
             for line, target in imports(path)
             for other in [room_of(target)]
             if other != room and other not in STREETS[room]]
    assert not wrong


def test_streets_go_in_no_circle() -> None:
    left = dict(STREETS)
    while open_now := [room for room, others in left.items() if not set(others) & set(left)]:
        for room in open_now:
            del left[room]
    assert not left


def test_rooms_have_no_names_that_say_nothing() -> None:
    assert not [path for path in python_files("src") if path.stem in ("utils", "util", "helpers", "common", "misc")]


def test_words_of_the_state_block_do_not_overlap() -> None:
    from xenos.cpu import layout

    long = {"SCRATCH": 64, "SIGNAL": 128}
    taken: dict[int, str] = {}
    for name, value in vars(layout).items():
        if name.isupper() and isinstance(value, int) and value < 0:
            assert value >= -layout.CONTROL_SIZE
            for byte in range(value, value + long.get(name, 8)):
                assert taken.setdefault(byte, name) == name
