"""Outcome domains, fair points, and whole negotiations in one call."""

import numpy as np
import pytest

from ecosim.rules import alternate, bargain, domain, frontier

ITEX = (
    [0.3229357, 0.1406447, 0.2245884, 0.3118312],
    [[1, 19 / 29, 9 / 29, 4 / 29, 0], [0, 1, 9 / 19, 4 / 19], [3 / 8, 1, 0], [0, 1, 4 / 29]],
)
CYPRESS = (
    [0.6517705, 0.1041786, 0.0882430, 0.1558078],
    [[0, 3 / 13, 8 / 13, 32 / 39, 1], [0, 3 / 8, 3 / 4, 1], [1, 5 / 14, 0], [1, 6 / 19, 0]],
)
PARTS = domain.Domain(
    ("price", "delivery", "payment", "returns"),
    (
        ("$4.37", "$4.12", "$3.98", "$3.71", "$3.47"),
        ("60 d", "45 d", "30 d", "20 d"),
        ("0 d", "30 d", "60 d"),
        ("full", "5 %", "10 %"),
    ),
)


def worth(side, spread=None):
    weights = np.array([side[0]]) if spread is None else np.array([side[0]]) * spread
    values = [np.array(options, float) for options in side[1]]
    return domain.utilities(domain.parts(domain.normalised(weights), values))


@pytest.fixture(scope="module")
def classic():
    return worth(ITEX), worth(CYPRESS)


def test_outcomes_count_like_digits_and_are_told_in_words():
    assert PARTS.num_outcomes == 180
    assert PARTS.words(0) == "$4.37, 60 d, 0 d, full"
    assert PARTS.words(179) == "$3.47, 20 d, 60 d, 10 %"
    number = PARTS.outcome([np.array([3]), np.array([2]), np.array([1]), np.array([1])])
    assert number.tolist() == [3 * 36 + 2 * 9 + 1 * 3 + 1]
    assert PARTS.choices[number[0]].tolist() == [3, 2, 1, 1]


def test_a_utility_is_the_sum_of_what_the_options_add(classic):
    itex, _ = classic
    # $4.12, 45 d, 60 d, 10 %: .3229357·19/29 + .1406447 + 0 + .3118312·4/29
    outcome = PARTS.outcome([np.array([n]) for n in (1, 1, 2, 2)])[0]
    assert itex[0, outcome] == pytest.approx(1e6 * (0.3229357 * 19 / 29 + 0.1406447 + 0.3118312 * 4 / 29), abs=2)


def test_a_ranking_goes_from_best_to_worst(classic):
    _, cypress = classic
    ranked = domain.ranking(cypress)
    assert (np.diff(ranked.utility[0]) <= 0).all()
    assert sorted(ranked.outcome[0].tolist()) == list(range(180))
    assert (cypress[0][ranked.outcome[0]] == ranked.utility[0]).all()


def test_a_domain_too_large_for_small_words_is_ranked_all_the_same():
    utility = np.random.default_rng(1).integers(0, 10**6, (3, 4096)).astype(np.int32)
    ranked = domain.ranking(utility)
    assert (np.diff(ranked.utility) <= 0).all()
    assert (np.take_along_axis(utility, ranked.outcome.astype(np.int64), axis=1) == ranked.utility).all()


def test_the_classic_domain_has_seventeen_efficient_outcomes_and_one_fair_point(classic):
    """Itex–Cypress: ends (1, .1198) and (.1138, 1); Nash = Kalai = utilitarian = (.67706, .77156)."""
    itex, cypress = classic
    front = frontier.frontier(itex, cypress)
    assert front.outcome.shape == (1, 17)
    ends = [(front.first[0, i] / 1e6, front.second[0, i] / 1e6) for i in (0, -1)]
    assert np.array(ends) == pytest.approx(np.array([(1.0, 0.1198), (0.1138, 1.0)]), abs=5e-5)
    points = frontier.points(front)
    for point in (points.nash, points.kalai, points.utilitarian):
        assert PARTS.words(point[0]) == "$3.47, 45 d, 30 d, 5 %"
        assert (itex[0, point[0]], cypress[0, point[0]]) == (677064, 771555)


def test_fair_points_and_distances_are_those_of_a_search_by_hand():
    rng = np.random.default_rng(7)
    first, second = (rng.integers(0, 40, (200, 30)).astype(np.int32) for _ in range(2))
    without = (6, 9)
    front = frontier.frontier(first, second)
    points = frontier.points(front, without)
    u, v = rng.integers(0, 40, (2, 200))
    far = frontier.frontier_distance(front, u, v)
    for t in range(200):
        pairs = list(zip(first[t].tolist(), second[t].tolist(), strict=True))
        best = [not any(x >= a and y >= b and (x, y) != (a, b) for x, y in pairs) for a, b in pairs]
        on_front = set(zip(front.first[t].tolist(), front.second[t].tolist(), strict=True))
        assert on_front == {pair for pair, ok in zip(pairs, best, strict=True) if ok}
        assert all(pairs[o] in on_front for o in front.outcome[t])
        gains = [(a - 6, b - 9) for a, b in pairs]
        rational = [g for g in gains if min(g) >= 0]
        m, n = (max(1, max(g[k] for g in rational)) for k in (0, 1))
        nash, kalai, smorodinsky = (gains[p[t]] for p in (points.nash, points.kalai, points.kalai_smorodinsky))
        assert nash[0] * nash[1] == max(g * h for g, h in rational)
        assert min(kalai) == max(min(g) for g in rational)
        assert min(smorodinsky[0] * n, smorodinsky[1] * m) == max(min(g * n, h * m) for g, h in rational)
        beaten = any(x >= u[t] and y >= v[t] and x + y > u[t] + v[t] for x, y in pairs)
        gaps = [((a - u[t]) ** 2 + (b - v[t]) ** 2) ** 0.5 for (a, b), ok in zip(pairs, best, strict=True) if ok]
        assert far[t] == (round(min(gaps)) if beaten else 0)


@pytest.mark.parametrize(
    ("exponent", "words", "utilities", "rounds"),
    [
        (bargain.BOULWARE, "$3.71, 30 d, 30 d, 5 %", (0.6936, 0.6476), (77, 79)),
        (bargain.LINEAR, "$3.71, 45 d, 30 d, 5 %", (0.6546, 0.7216), (34, 35)),
        (bargain.CONCEDER, "$3.98, 20 d, 30 d, 5 %", (0.5860, 0.6663), (2, 3)),
    ],
)
def test_time_based_agents_agree_where_another_program_says(classic, exponent, words, utilities, rounds):
    """Utilities as (Cypress, Itex); NegMAS finds the same."""
    itex, cypress = classic
    settled = alternate.negotiate(cypress, itex, (exponent, exponent))
    assert PARTS.words(settled.outcome[0]) == words
    assert (settled.first_worth[0] / 1e6, settled.second_worth[0] / 1e6) == pytest.approx(utilities, abs=6e-5)
    assert rounds[0] <= settled.round[0] <= rounds[1]


def slowly(first, second, exponents, rounds, reservations):
    """One talk as a reader would play it: (outcome, round), or (−1, rounds)."""
    sides, standing = (first.tolist(), second.tolist()), [None, None]
    for move in range(2 * rounds):
        me, other = move % 2, 1 - move % 2
        share = 1 - (move // 2 + 1) / (rounds + 1) if exponents[me] == 1 else None
        if share is None:
            share = float(bargain.aspiration(np.array((move // 2 + 1) / (rounds + 1.0)), exponents[me]))
        ask = reservations[me] + np.ceil((max(sides[me]) - reservations[me]) * share)
        if standing[other] is not None and sides[me][standing[other]] >= ask:
            return standing[other], move // 2 + 1
        fit = [(u, o) for o, u in enumerate(sides[me]) if u >= ask]
        standing[me] = min(fit)[1]
    return -1, rounds


def test_the_kernel_plays_what_a_slow_loop_plays():
    rng = np.random.default_rng(3)
    first, second = (rng.integers(0, 10**6, (60, 50)).astype(np.int32) for _ in range(2))
    for exponents in ((4.0, 1.0), (0.25, 4.0), (1.0, 1.0)):
        settled = alternate.negotiate(first, second, exponents, rounds=30, reservations=(300_000, 550_000))
        found = list(zip(settled.outcome.tolist(), settled.round.tolist(), strict=True))
        assert found == [slowly(f, s, exponents, 30, (300_000, 550_000)) for f, s in zip(first, second, strict=True)]


def test_an_agreement_is_worth_less_the_later_it_comes(classic):
    itex, cypress = classic
    settled = alternate.negotiate(cypress, itex, (1.0, 1.0), discounts=(0.99, 1.0))
    plain = alternate.negotiate(cypress, itex, (1.0, 1.0))
    assert settled.first_worth[0] == pytest.approx(plain.first_worth[0] * 0.99 ** (settled.round[0] - 1))
    assert settled.second_worth[0] == plain.second_worth[0]


def test_who_would_lose_by_every_outcome_goes_without_a_deal():
    first, second = np.array([[200_000, 500_000]], np.int32), np.array([[900_000, 300_000]], np.int32)
    settled = alternate.negotiate(first, second, (1.0, 1.0), rounds=5, reservations=(400_000, 400_000))
    assert (settled.outcome[0], settled.first_worth[0], settled.second_worth[0]) == (-1, 400_000, 400_000)
