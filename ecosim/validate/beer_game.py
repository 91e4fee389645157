"""The beer game: Sterman's benchmark, the rule that he estimated from people, and people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
import pandas as pd

from ecosim import api
from ecosim.exact import MILLION
from ecosim.explore import Run
from ecosim.fields import Array
from ecosim.simulate import load_scenario
from ecosim.validate.cases import Case, Figure, above, between, exactly, within
from ecosim.words import Answers, Expert, Question

SEATS = ("retailer", "wholesaler", "distributor", "factory")
STERMAN = "Sterman (1989), Modeling managerial behavior, Management Science 35(3)"

TARGET_POSITION = np.array([28, 28, 28, 20])
"""Stock and supply line that the benchmark rule aims at, cases, seat by seat."""
SPLITS = {4: (46, 50, 54, 54), 3: (30, 38, 46, 48), 0: (36, 44, 52, 48)}
"""What each seat costs, $, where the first orders are fixed for so many weeks."""

FIXED_WEEKS = 4

PEOPLE = {"smoothing": 0.36, "stock": 0.26, "line": 0.34, "position": 17.0}
"""Mean parameters of 44 players: θ of the forecast, α of the stock gap, β of the supply line, S′ in cases."""
PEOPLE_SPLIT = (280, 627, 886, 686)
PEOPLE_PEAKS = (11.0, 16.5, 25.1, 30.8)
TEAM_COST = 2028.0
"""Mean cost of the teams of people, $."""

GRAIN = 10_000
"""Parts of a case that the game is counted in where a rule orders fractions: goods come in whole units here."""


def benchmark_rule(fixed_weeks: int) -> Expert:
    """O = max(0, 4 + S′ − (stock − backlog) − supply line), and 4 in the first weeks."""

    def decide(question: Question) -> Answers:
        stock = question["on_hand"] - question["owed"]
        wish = 4 * MILLION + TARGET_POSITION[question.key["subject"]] * MILLION - stock - question["on_order"]
        first = np.full(len(wish), 4 * MILLION)
        return {"quantity": np.maximum(wish, 0) if question.step > fixed_weeks else first}

    return decide


class Player:
    """The rule that describes people: O = max(0, L̂ + α·(S′ − stock − β·supply line)), L̂ smoothed from orders seen.

    As in the benchmark, the first four orders are 4. A question shows eight weeks of orders and the forecast weighs all
    of them, so a player keeps notes, by week and seat; asked again it answers the same.
    """

    def __init__(self, grain: int = GRAIN) -> None:
        self.grain = grain
        self.forecast: dict[tuple[int, int], float] = {}

    def __call__(self, question: Question) -> Answers:
        """An order for each seat, in grains."""
        expected = np.array([self._expected(question, row) for row in range(question.num_rows)])
        unit = self.grain * MILLION
        stock, line = (question["on_hand"] - question["owed"]) / unit, question["on_order"] / unit
        wish = expected + PEOPLE["stock"] * (PEOPLE["position"] - stock - PEOPLE["line"] * line)
        wish = np.maximum(wish, 0) if question.step > FIXED_WEEKS else np.full(len(wish), 4.0)
        return {"quantity": np.rint(wish * self.grain).astype(np.int64) * MILLION}

    def _expected(self, question: Question, row: int) -> float:
        seat, week, smoothing = int(question.key["subject"][row]), question.step, PEOPLE["smoothing"]
        seen = question["demand_history"][row, 0] / (self.grain * MILLION)
        self.forecast[week, seat] = smoothing * seen + (1 - smoothing) * self.forecast.get((week - 1, seat), 4.0)
        return self.forecast[week, seat]


def play(rule: Expert, changes: dict[str, object] | None = None) -> Run:
    """The game with one rule in all four seats."""
    return api.run("beer_game", minds={"distributor.replenish": rule, "manufacturer.replenish": rule}, changes=changes)


def seat_costs(run: Run) -> Array:
    """What each seat paid for stock and backlog in all weeks, $."""
    stocks = run.events("stocks")
    return (stocks["holding_cost"] + stocks["backlog_cost"]).groupby(stocks["member"]).sum().to_numpy()


def benchmark(fixed_weeks: int, rule_of: Callable[[int], Expert] = benchmark_rule) -> list[Figure]:
    """The split of the benchmark's cost, and its sum."""
    cost, split = seat_costs(play(rule_of(fixed_weeks))), SPLITS[fixed_weeks]
    figures = [
        exactly(f"{seat}'s cost", found, target, "$") for seat, found, target in zip(SEATS, cost, split, strict=True)
    ]
    return [*figures, exactly("total cost", cost.sum(), sum(split), "$")]


def in_grains() -> dict[str, object]:
    """The changes that count the same game in parts of a case."""
    facts = load_scenario("beer_game").model_dump()
    beer = facts["items"]["beer"]
    changes: dict[str, object] = {
        f"items.beer.{name}": beer[name] / GRAIN for name in beer if name.endswith("_cost_eur")
    }
    changes |= {f"demand.{name}": facts["demand"][name] * GRAIN for name in ("mean_units", "step_units")}
    changes |= {"first_forecast_units.beer": 4 * GRAIN, "max_order_units": 1000 * GRAIN}
    for i, firm in enumerate(facts["firms"]):
        changes[f"firms.{i}.stock_units.beer"] = firm["stock_units"]["beer"] * GRAIN
        changes[f"firms.{i}.arriving_units"] = [units * GRAIN for units in firm["arriving_units"]]
    changes["firms.3.capacity_units"] = 1000 * GRAIN
    return changes


@cache
def people() -> tuple[Array, Array, pd.DataFrame]:
    """Cost and largest order of each seat under the estimated rule, $ and cases, and all orders."""
    run = play(Player(), in_grains())
    orders = run.events("orders")
    orders["quantity"] /= GRAIN
    return seat_costs(run), orders.groupby("member")["quantity"].max().to_numpy(), orders


def estimated_rule() -> list[Figure]:
    """The split and the largest orders of the rule, against an independent program of the same game."""
    cost, peak, _ = people()
    last_digit = "last digit given"
    figures = [
        within(f"{seat}'s cost", found, target, 0.5, last_digit, "$")
        for seat, found, target in zip(SEATS, cost, PEOPLE_SPLIT, strict=True)
    ]
    figures.append(within("total cost", cost.sum(), 2479.5, 0.05, last_digit, "$"))
    return figures + [
        within(f"{seat}'s largest order", found, target, 0.05, last_digit, "cases")
        for seat, found, target in zip(SEATS, peak, PEOPLE_PEAKS, strict=True)
    ]


def teams() -> Sequence[Figure]:
    """The rule against what teams of people did."""
    cost, _, orders = people()
    variance = orders.groupby("member")["quantity"].var().to_numpy()
    least = float((variance[1:] / variance[:-1]).min())
    return [
        between("total cost", cost.sum(), TEAM_COST / 2, TEAM_COST * 2, TEAM_COST, "a factor of 2, see method", "$"),
        above("growth of order variance, least of 3", least, 1, "swings grow at every seat upstream"),
    ]


_METHOD = "36 weeks of the scenario beer_game, a rule in all four seats; cost as the charge phase books it"

CASES = (
    *(
        Case(
            name=f"beer_game_{sum(split)}",
            part="manufacturing",
            kind="V1",
            shows=f"the benchmark rule with {weeks} fixed weeks costs ${sum(split)}, seat by seat",
            source=STERMAN if weeks == 4 else f"the game of {STERMAN}, worked out by a second program",
            method=_METHOD,
            compute=partial(benchmark, weeks),
        )
        for weeks, split in SPLITS.items()
    ),
    Case(
        name="beer_game_estimated_rule",
        part="manufacturing",
        kind="V2",
        shows="the rule that was estimated from people gives the same costs and orders as in another program",
        source=f"parameters of {STERMAN}; run by a second program",
        method=f"{_METHOD}; the first four orders are 4; counted in {GRAIN:,}ths of a case, because the rule orders "
        "fractions",
        compute=estimated_rule,
    ),
    Case(
        name="beer_game_people",
        part="manufacturing",
        kind="V4",
        shows="the estimated rule costs about what teams of people cost, and amplifies orders as they did",
        source=STERMAN,
        method="the rule with the mean parameters of 44 players, against the mean team. One rule in all seats is no "
        "forecast of a team, and the source here gives no spread between teams, so only the size is compared: a "
        "factor of 2 either way. No person and no language model played",
        compute=teams,
    ),
)
