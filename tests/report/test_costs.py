import pytest

from ecosim.report.costs import OTHER, _pools, percents, profile
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


RUN = {
    "wall_s": 10.0,
    "seconds_by_part": {"minds": 6.0, "negotiate": 3.0, "ship": 0.0},
    "work_by_grade": {"scripted": {"wall_s": 1.0}, "untrained": {"wall_s": 4.5}},
}


def test_wall_time_is_split_by_part_and_grade_and_nothing_of_it_is_missing():
    times = profile(RUN)
    assert times == {
        "minds: untrained": 4.5, "negotiate": 3.0, "minds: scripted": 1.0, "minds: sorting": 0.5, OTHER: 1.0
    }  # fmt: skip
    assert sum(times.values()) == RUN["wall_s"]


def test_minds_that_answered_at_once_with_each_other_are_not_split():
    busy = RUN | {"work_by_grade": {"untrained": {"wall_s": 11.0}}}
    assert profile(busy) == {"minds": 6.0, "negotiate": 3.0, OTHER: 1.0}


def test_shares_add_up_to_a_hundred_percent():
    assert sum(percents({str(i): 1.0 for i in range(7)}).values()) == pytest.approx(100)
