"""The list of regions against a plain dictionary of pages."""

from hypothesis import given, settings
from hypothesis import strategies as st

from xenos.memory.regions import Region, Regions

pages = st.integers(0, 15)


moves = st.tuples(st.sampled_from(["add", "remove", "file"]), pages, st.integers(1, 5), st.integers(0, 7))


@settings(max_examples=200, deadline=None)
@given(st.lists(moves, max_size=30))
def test_regions_agree_with_a_page_table(moves: list[tuple[str, int, int, int]]) -> None:
    regions = Regions()
    table: dict[int, tuple[int, str | None, int]] = {}
    for kind, first, count, prot in moves:
        start, end = first * 4096, (first + count) * 4096
        removed = regions.remove(start, end)
        assert sorted(p for r in removed for p in range(r.start // 4096, r.end // 4096)) == sorted(
            p for p in table if first <= p < first + count
        )
        for page in range(first, first + count):
            table.pop(page, None)
        if kind != "remove":
            file = "f" if kind == "file" else None
            regions.add(Region(start, end, prot, file, 4096 * prot if file else 0))
            for page in range(first, first + count):
                table[page] = (prot, file, 4096 * (prot + page - first) if file else 0)
    assert all(a.end <= b.start for a, b in zip(regions.items, regions.items[1:], strict=False))
    for page in range(22):
        region = regions.at(page * 4096 + 1)
        assert (region is None) == (page not in table)
        if region is not None:
            offset = region.offset + page * 4096 - region.start if region.file else 0
            assert (region.prot, region.file, offset) == table[page]
    for low in range(0, 20, 3):
        for high in range(low + 1, 21, 4):
            assert regions.covered(low * 4096, high * 4096) == all(p in table for p in range(low, high))


def test_neighbours_of_one_kind_are_one_region() -> None:
    regions = Regions()
    regions.add(Region(0x1000, 0x2000, 3))
    regions.add(Region(0x3000, 0x4000, 3))
    regions.add(Region(0x2000, 0x3000, 3))
    assert len(regions) == 1
    regions.add(Region(0x4000, 0x5000, 1))
    assert len(regions) == 2


def test_pieces_of_a_file_join_only_in_order() -> None:
    regions = Regions()
    regions.add(Region(0x1000, 0x2000, 1, "f", 0))
    regions.add(Region(0x2000, 0x3000, 1, "f", 0x1000))
    regions.add(Region(0x3000, 0x4000, 1, "f", 0x1000))
    assert [(r.start, r.end) for r in regions] == [(0x1000, 0x3000), (0x3000, 0x4000)]


def test_gaps() -> None:
    regions = Regions()
    regions.add(Region(0x4000, 0x6000, 3))
    regions.add(Region(0x8000, 0x9000, 3))
    assert regions.gap_below(0x1000, 0, 0x9000) == 0x7000
    assert regions.gap_below(0x3000, 0, 0x9000) == 0x1000
    assert regions.gap_below(0x5000, 0, 0x9000) is None
    assert regions.gap_above(0x2000, 0x4000, 0x10000) == 0x6000
    assert regions.gap_above(0x3000, 0x5000, 0x10000) == 0x9000
    assert regions.gap_above(0x8000, 0x4000, 0x10000) is None
