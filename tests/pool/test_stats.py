from ecosim.pool.stats import Cost, Stats


def test_counts_add_up_and_subtract():
    one = Stats(decisions=2, useful_tokens=6, padded_tokens=8, seconds=0.5)
    both = one + Stats(decisions=1, useful_tokens=2, padded_tokens=8)
    assert (both.decisions, both.occupancy, both.as_dict()["occupancy"]) == (3, 0.5, 0.5)
    assert both - one == Stats(decisions=1, useful_tokens=2, padded_tokens=8)


def test_nothing_read_wastes_nothing():
    assert Stats().occupancy == 1.0


def test_a_cost_is_linear_in_tokens_pairs_and_heads():
    assert Cost(core=100, pair=10, head=1).of(tokens=2, pairs=3, heads=4) == 234
