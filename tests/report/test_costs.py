from ecosim.report.costs import _pools
from ecosim.report.parts import Grid

POOL = {
    "talks": 10, "decisions": 40, "memo_hits": 8, "prefix_hits": 5, "useful_tokens": 1200, "prefix_tokens": 250,
    "cached_prefix_tokens": 1250, "memo_tokens": 160, "written_tokens": 0, "flops": 3_000_000_000, "occupancy": 0.9,
}  # fmt: skip


def shown(grid: Grid) -> dict[str, str]:
    return {head.text: cell.text for head, cell in zip(grid.head, grid.rows[0], strict=True)}


def test_hits_of_memo_and_prefixes_stand_apart_from_what_was_computed():
    row = shown(_pools({"base": POOL}))
    assert (row["memo hits"], row["prefix hits"]) == ("8 (20 %)", "5 (50 %)")
    assert (row["spared by memo hits"], row["spared by prefix hits"], row["read"]) == ("160", "1,250", "1,200")
    assert row["useful ÷ padded"] == "90 %"


def test_a_run_that_did_not_count_hits_shows_a_dash():
    old = {name: value for name, value in POOL.items() if "hits" not in name}
    assert shown(_pools({"base": old}))["memo hits"] == "–"
