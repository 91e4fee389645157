"""Blocks of rows on several threads: the same slates, and faults that are not lost."""

import pytest

from ecosim import testing
from ecosim.community import threads


@pytest.mark.parametrize("cores", ["1", "3"])
def test_the_number_of_threads_changes_no_bit(monkeypatch, cores):
    monkeypatch.setenv("OMP_NUM_THREADS", cores)
    monkeypatch.setattr(threads, "_FEWEST", 1)
    digests = testing.run_digests("creator_community", seeds=1, steps=3).manifest["digests"]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert testing.run_digests("creator_community", seeds=1, steps=3).manifest["digests"] == digests


def test_rows_are_split_among_threads_and_no_block_is_too_large(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads.blocks(10, 5, 20) == [slice(i, i + 4) for i in (0, 4, 8)]  # 20 cells are four rows of five
    assert threads.blocks(10, 5, 10**9) == [slice(0, 10)]  # 50 cells are too few for two threads
    assert threads.blocks(2**16, 2, 10**9) == [slice(0, 2**15), slice(2**15, 2**16)]


def test_a_fault_in_a_block_is_raised(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def work(part):
        if part.start == 4:
            raise ValueError("the second block")

    with pytest.raises(ValueError, match="the second block"):
        threads.side_by_side(work, [slice(0, 4), slice(4, 8)])
