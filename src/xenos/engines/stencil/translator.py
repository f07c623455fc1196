"""Translation: guest instructions to host code, by copying stencils and filling them in.

A unit is what is translated at once: a block, and the blocks that follow on its branches not taken. Each block counts its
instructions at its start, behind a poll if it ends in a jump back. Cold parts and stubs lie behind the hot code of the unit.
"""

from __future__ import annotations

from xenos.engines.code.segment import LINK, POLL, SLOW
from xenos.engines.stencil.placing import BRANCH, INDIRECT, JUMP, JUMP_AT, MID, MID_AT, STUB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenos.engines.code.segment import Segment
    from xenos.engines.stencil.placing import Made, Placer

MAX_INSTRUCTIONS = 64      # of a unit, about; of a block, exactly
_NONE: Made = (b"", b"", (), (), ())


class Translator:
    """Makes units out of what `placer` knows. Guest memory is read by 16 bits through `halves`, indexed by address / 2."""

    def __init__(self, placer: Placer) -> None:
        self.placer = placer
        self.instructions = 0

    def translate(self, pc: int, limit: int, halves: memoryview, segment: Segment, single: bool) -> bool:
        """Translate what is at `pc`, up to `limit`, into a segment; False if that is full. `single` stops after one block,
        which is not linked and has no poll: the engine looks after each."""
        placer = self.placer
        known, learn, counts = placer.memo.get, placer.learn, placer.counts
        poll, poll_site = placer.poll
        mask, long = placer.short
        find = segment.find
        first = pc
        parts: list[bytes] = []
        size = total = 0
        blocks: list[tuple[int, int]] = []
        exits: list[tuple[int, int, int, int]] = []             # site, why, pc, instructions counted but not done
        tails: list[tuple[int, Made, int, int]] = []            # place of the hot code, what was made, pc, not done
        starts: set[int] = set()
        while True:
            start = pc
            starts.add(pc)
            prefix = len(parts)
            parts.append(b"")
            begin = size
            special: list[tuple[int, Made, int, int]] = []
            count = 0
            target = -1
            while True:
                at = pc
                if pc >= limit:
                    code: Any = (STUB, LINK)
                else:
                    word = halves[pc >> 1]
                    if word & mask == long:
                        pc += 4
                        if pc > limit:
                            code = (STUB, LINK)
                        else:
                            word |= halves[(at >> 1) + 1] << 16
                            code = known(word)
                            if code is None:
                                code = learn(word, 4)
                    else:
                        pc += 2
                        code = known(word)
                        if code is None:
                            code = learn(word, 2)
                if code.__class__ is bytes:
                    parts.append(code)
                    size += len(code)
                    count += 1
                    if count < MAX_INSTRUCTIONS:
                        continue
                    kind = STUB
                    code = (STUB, LINK)
                    at = pc
                else:
                    kind = code[0]
                if kind <= MID_AT:
                    made = code[1] if kind == MID else code[1](at, pc)
                    special.append((size, made, at, count))
                    parts.append(made[0])
                    size += len(made[0])
                    count += 1
                    if count < MAX_INSTRUCTIONS:
                        continue
                    kind = STUB
                    code = (STUB, LINK)
                    at = pc
                break
            # The block's last code; `falls` if the next block may follow it.
            falls = False
            made = _NONE
            if kind == BRANCH or kind == JUMP:
                _, hot, site, distance = code
                target = at + distance
                exits.append((size + site, LINK, target, 0))
                falls = kind == BRANCH
                count += 1
            elif kind == STUB:
                hot, site = placer.goto
                exits.append((size + site, code[1], at, 0))
            else:
                made = code[1] if kind == INDIRECT else code[1](at, pc)
                hot = made[0]
                count += 1
                if kind == JUMP_AT:
                    target = at + code[2]
                    exits.append((size + made[3][0][0], LINK, target, 0))
                special.append((size, made, at, count - 1))
            parts.append(hot)
            size += len(hot)
            # What stands before its body, now that it is known, moves everything in it.
            ahead = counts[count] if count else b""
            loops = -1 < target <= start and not single
            if loops:
                ahead = poll + ahead
            shift = len(ahead)
            parts[prefix] = ahead
            size += shift
            for number in range(len(exits) - 1, -1, -1):
                site, why, where, back = exits[number]
                if site < begin:
                    break
                exits[number] = (site + shift, why, where, back)
            if loops:
                exits.append((begin + poll_site, POLL, start, 0))
            for place, made, where, done in special:
                tails.append((place + shift, made, where, count - done))
            blocks.append((start, begin))
            total += count
            if not falls:
                break
            if single or total >= MAX_INSTRUCTIONS or find(pc) is not None or pc >= limit or pc in starts:
                hot, site = placer.goto
                parts.append(hot)
                exits.append((size + site, LINK, pc, 0))
                size += len(hot)
                break
        self.instructions += total
        return self._finish(first, min(pc, limit), parts, size, blocks, exits, tails, segment, not single)

    def _finish(self, first: int, end: int, parts: list[bytes], size: int, blocks: list[tuple[int, int]],
                exits: list[tuple[int, int, int, int]], tails: list[tuple[int, Made, int, int]],
                segment: Segment, linked: bool) -> bool:
        """Put cold parts and stubs behind the hot code, the whole into the segment, and link it both ways."""
        placer = self.placer
        fixes: list[tuple[int, int]] = []
        for place, (hot, cold, crossings, ways, near), pc, back in tails:
            # Offsets below the split are in the hot part, others in the cold one that now lies elsewhere.
            split = len(hot)
            shift = size - split
            for site, target in crossings:
                fixes.append((place + site if site < split else shift + site,
                              place + target if target <= split <= site else shift + target))
            for site, name in ways:
                if name == "SLOW":
                    exits.append((place + site if site < split else shift + site, SLOW, pc, back))
            for site, where in near:
                fixes.append((place + site if site < split else shift + site, where - segment.used))
            if cold:
                parts.append(cold)
                size += len(cold)
        stubs: dict[tuple[int, int, int], int] = {}
        links = []
        for site, why, pc, back in exits:
            key = (why, pc, back)
            stub = stubs.get(key)
            if stub is None:
                stub = stubs[key] = size
                code = placer.stubs.get(back) or placer.stub(back)
                parts.append(code)
                size += len(code)
            links.append((site, stub, why, pc))
        start = segment.append(b"".join(parts))
        if start < 0:
            return False
        view, plain = segment.view, segment.plain
        for (why, pc, _), offset in stubs.items():
            segment.stubs[start + offset] = (why, pc)
        for site, target in fixes:
            segment.patch(start + site, start + target)
        own = {pc: start + offset for pc, offset in blocks}
        segment.blocks.update(own)
        find = segment.find
        pending, incoming = segment.pending, segment.incoming
        for site, stub, why, pc in links:
            goal = stub
            if why == LINK and linked:
                there = find(pc)
                book = pending if there is None else incoming
                if pc in book:
                    book[pc].append((start + site, start + stub))
                else:
                    book[pc] = [(start + site, start + stub)]
                if there is not None:
                    goal = there - start
            if plain:
                view[start + site:start + site + 4] = (goal - site - 4 & 0xFFFF_FFFF).to_bytes(4, "little")
            else:
                segment.patch(start + site, start + goal)
        for pc, offset in own.items():
            segment.new.append((pc, offset))
            for site, _ in segment.take(pc):
                segment.patch(site, offset)
        segment.units.append((first, end))
        segment.publish()
        return True

    def locate(self, pc: int, limit: int, halves: memoryview, offset: int,
               single: bool) -> tuple[int, int] | None:
        """Which instruction of the block at `pc` the code at `offset` from its start belongs to.

        Gives (address of the instruction, instructions of the block that were counted but not done), by placing the block once
        more: the same words give the same code, so that no table of addresses is kept.
        """
        placer = self.placer
        places: list[tuple[int, int]] = []
        size = 0
        target = -1
        at = pc
        while at < limit and len(places) < MAX_INSTRUCTIONS:
            word, step = halves[at >> 1], 2
            if word & placer.short[0] == placer.short[1]:
                if at + 4 > limit:
                    break
                word, step = word | halves[(at >> 1) + 1] << 16, 4
            code = placer.memo.get(word)
            if code is None:
                code = placer.learn(word, step)
            kind = -1 if code.__class__ is bytes else code[0]
            if kind == STUB:
                break
            places.append((at, size))
            if kind in (BRANCH, JUMP, JUMP_AT):
                target = at + code[-1]
            if kind > MID_AT:
                break
            size += len(code if kind < 0 else code[1][0] if kind == MID else code[1](at, at + step)[0])
            at += step
        inside = offset - len(placer.counts[len(places)]) - (len(placer.poll[0]) if -1 < target <= pc and not single else 0)
        for number in range(len(places) - 1, -1, -1):
            if places[number][1] <= inside:
                return places[number][0], len(places) - number
        return None


