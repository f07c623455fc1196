"""Translation: guest instructions to host code, by copying stencils and filling them in.

A unit is what is translated at once: a block, and the blocks that follow on its not-taken branches. Code that depends only on
the instruction word is remembered per word, so that most instructions cost one look-up.
"""

from __future__ import annotations

from xenos.engines.code.segment import (BREAKPOINT, ILLEGAL, LINK, POLL, SLOW, SYNC, SYSCALL, Segment)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenos.engines.stencil.placing import Placer

MAX_INSTRUCTIONS = 64


class Translator:
    """Makes units. `placer` knows the stencils; `halves` reads guest memory by 16 bits, indexed by address / 2."""

    def __init__(self, placer: Placer) -> None:
        self.placer = placer

    def translate(self, pc: int, limit: int, halves: memoryview, known: dict[int, int], segment: Segment,
                  single: bool) -> int:
        """Translate from `pc` on, at most to `limit`; gives the offset of its code in the segment, or -1 if that is full.

        `known` are the blocks there are already, `single` keeps to one block.
        """
        placer = self.placer
        memo = placer.memo
        short_mask, short_value = placer.short
        total = 0
        first = pc
        hot: list[bytes] = []          # finished code of the unit
        size = 0
        blocks: list[tuple[int, int]] = []
        exits: list[tuple[int, int, int, int]] = []
        tails: list[tuple[int, int, bytes, tuple[tuple[int, int], ...], tuple[tuple[int, str], ...], int, int]] = []
        near: list[tuple[int, int]] = []
        while True:
            block_pc = pc
            body: list[bytes] = []
            length = 0
            count = 0
            special: list[tuple[int, int, object, int]] = []   # (offset in the body, number, placed, pc)
            terminal = None
            while True:
                if pc + 2 > limit:
                    terminal = ("stub", LINK, pc)
                    break
                word = halves[pc >> 1]
                if word & short_mask == short_value:
                    if pc + 4 > limit:
                        terminal = ("stub", LINK, pc)
                        break
                    word |= halves[(pc >> 1) + 1] << 16
                    step = 4
                else:
                    step = 2
                try:
                    code = memo[word]
                except KeyError:
                    code = placer.learn(word, step)
                if code.__class__ is bytes:
                    body.append(code)
                    length += len(code)
                    count += 1
                    pc += step
                    continue
                kind = code[0]
                if kind == "stub":
                    terminal = ("stub", code[1], pc)
                    break
                placed = code[-1]
                if placed.__class__ is not tuple:
                    placed = placed(pc, pc + step)
                if kind == "end":
                    terminal = ("end", code, placed)
                    count += 1
                    pc += step
                    break
                special.append((length, count, placed, pc))
                body.append(placed[0])
                length += len(placed[0])
                count += 1
                pc += step
                if count >= MAX_INSTRUCTIONS:
                    terminal = ("next", LINK, pc)
                    break
                continue
            if terminal is None:
                terminal = ("next", LINK, pc)
            total += count
            # What stands before the body: a poll where the block goes back, and the count.
            target = terminal[2][5] if terminal[0] == "end" else -1
            blocks.append((block_pc, size))
            if -1 < target <= block_pc:
                code, site = placer.poll
                hot.append(code)
                exits.append((size + site, POLL, block_pc, 0))
                size += len(code)
            if count:
                code = placer.count(count)
                hot.append(code)
                size += len(code)
            hot += body
            for offset, number, placed, at in special:
                _, cold, crossings, ways, constants, _ = placed
                base = size + offset
                for site, where in constants:
                    near.append((base + site, where))
                tails.append((base, len(placed[0]), cold, crossings, ways, at, count - number))
            size += length
            if terminal[0] == "end":
                _, entry, placed = terminal
                code, cold, crossings, ways, constants, _ = placed
                hot.append(code)
                for site, name in ways:
                    if name == "TAKEN":
                        exits.append((size + site, LINK, target, 0))
                if cold or crossings:
                    tails.append((size, len(code), cold, crossings, (), pc, 0))
                size += len(code)
                if not entry[1]:
                    break                                   # never falls through
                if pc in known or single or total >= MAX_INSTRUCTIONS or any(pc == b for b, _ in blocks):
                    code, site = placer.goto
                    hot.append(code)
                    exits.append((size + site, LINK, pc, 0))
                    size += len(code)
                    break
                continue
            code, site = placer.goto
            hot.append(code)
            exits.append((size + site, terminal[1], terminal[2], 0))
            size += len(code)
            break
        return self._finish(first, pc, hot, size, blocks, exits, tails, near, segment)

    def locate(self, pc: int, limit: int, halves: memoryview, offset: int) -> tuple[int, int] | None:
        """Which instruction of the block at `pc` the code at `offset` from its start belongs to.

        Gives (address of the instruction, instructions of the block that were counted but not done), by translating the block
        again: the same words give the same code, so that no table of addresses is kept.
        """
        placer = self.placer
        places: list[tuple[int, int]] = []
        size = 0
        back = False
        at = pc
        count = 0
        while at + 2 <= limit and count < MAX_INSTRUCTIONS:
            word = halves[at >> 1]
            step = 2
            if word & placer.short[0] == placer.short[1]:
                if at + 4 > limit:
                    break
                word |= halves[(at >> 1) + 1] << 16
                step = 4
            code = placer.memo.get(word) or placer.learn(word, step)
            if code.__class__ is not bytes and code[0] == "stub":
                break
            made = code if code.__class__ is bytes else code[-1]
            placed = made if made.__class__ is tuple or made.__class__ is bytes else made(at, at + step)
            places.append((at, size))
            count += 1
            size += len(placed) if placed.__class__ is bytes else len(placed[0])
            if code.__class__ is not bytes and code[0] == "end":
                back = -1 < placed[5] <= pc
                break
            at += step
        inside = offset - (len(placer.poll[0]) if back else 0) - len(placer.count(count))
        for number in range(len(places) - 1, -1, -1):
            if places[number][1] <= inside:
                return places[number][0], count - number
        return None

    def _finish(self, first: int, end: int, hot: list[bytes], size: int, blocks: list[tuple[int, int]],
                exits: list[tuple[int, int, int, int]],
                tails: list[tuple[int, int, bytes, tuple[tuple[int, int], ...], tuple[tuple[int, str], ...], int, int]],
                near: list[tuple[int, int]], segment: Segment) -> int:
        """Cold parts and stubs go behind the hot code; then everything is linked."""
        placer = self.placer
        fixes: list[tuple[int, int]] = []
        for base, split, cold, crossings, ways, pc, back in tails:
            # An offset below the split is in the hot part, others are in the cold one that now lies elsewhere.
            shift = size - split
            for site, target in crossings:
                fixes.append((base + site if site < split else shift + site,
                              base + target if target <= split and site >= split else shift + target))
            for site, name in ways:
                if name == "SLOW":
                    exits.append((base + site if site < split else shift + site, SLOW, pc, back))
            if cold:
                hot.append(cold)
                size += len(cold)
        stubs: dict[tuple[int, int, int], int] = {}
        for _, kind, pc, back in exits:
            key = (kind, pc, back)
            if key not in stubs:
                stubs[key] = size
                code = placer.stub(back)
                hot.append(code)
                size += len(code)
        start = segment.append(b"".join(hot))
        if start < 0:
            return -1
        known = segment.blocks
        patch = segment.patch
        for pc, offset in blocks:
            known[pc] = start + offset
            segment.new.append((pc, start + offset))
        for (kind, pc, _), offset in stubs.items():
            segment.stubs[start + offset] = (kind, pc)
        for site, target in fixes:
            patch(start + site, start + target)
        for site, where in near:
            patch(start + site, where)
        for site, kind, pc, back in exits:
            stub = start + stubs[kind, pc, back]
            at = start + site
            if kind == LINK:
                goal = known.get(pc)
                if goal is None:
                    segment.pending.setdefault(pc, []).append((at, stub))
                    patch(at, stub)
                else:
                    segment.incoming.setdefault(pc, []).append((at, stub))
                    patch(at, goal)
            else:
                patch(at, stub)
        for pc, offset in blocks:
            waiting = segment.pending.pop(pc, None)
            if waiting:
                segment.incoming.setdefault(pc, []).extend(waiting)
                for site, _ in waiting:
                    patch(site, start + offset)
        segment.units.append((first, end))
        return start


__all__ = ["BREAKPOINT", "ILLEGAL", "LINK", "POLL", "SLOW", "SYNC", "SYSCALL", "Translator"]
