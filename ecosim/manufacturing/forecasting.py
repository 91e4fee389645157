"""The forecaster: one member of the market that forecasts demand for those who subscribe.

Its home is the table `forecasters`, a row a replica: it has no stock and no account, so nobody pays for its mind but
through the fee. Each week, before demand comes, it is asked once for every position of every subscriber: mean weekly
demand over the horizon, and the 10 % and 90 % quantiles. Subscribers see that when they plan; others see nothing.

A forecast is scored when its horizon is over, by `rules.accuracy`, against what was asked of the firm and against the
seasonal-naive forecast of the same weeks. Forecasts that reach into weeks before week 1 are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, State, units
from ecosim.rules import accuracy
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

ROLE = "forecaster"
HOME = "forecasters"
LOW_QUANTILE, HIGH_QUANTILE = 0.1, 0.9
GUESSES = ("mean", "low", "high")
LEAST_HIGH = 10 * MILLION
"""The largest forecast allowed is twice the largest demand shown, and at least ten units."""

SEES = {
    "item_name": Meaning("", "of what"),
    "firm_role": Meaning("text", "what the subscriber is"),
    "makes": Meaning("", "1 if the subscriber makes the item itself, 0 if it buys it"),
    "history": Meaning("units/1e6", "what was asked of it in each of the last weeks, the newest first"),
    "season_weeks": Meaning("weeks", "after how many weeks demand may repeat itself; 1 for none"),
    "horizon_weeks": Meaning("weeks", "how many weeks are forecast, this one included"),
    "week": Meaning("week", "now"),
}
ANSWERS = {
    "mean": Meaning("units/1e6", "mean weekly demand over the horizon"),
    "low": Meaning("units/1e6", "what demand stays above with a chance of 90 %"),
    "high": Meaning("units/1e6", "what demand stays below with a chance of 90 %"),
}
SHOWN = {
    "has_forecast": Meaning("", "1 if the firm subscribes to the forecaster"),
    "forecast": Meaning("units/1e6", "mean weekly demand over the horizon; −1 without a subscription"),
    "forecast_low": Meaning("units/1e6", "its 10 % quantile; −1 without a subscription"),
    "forecast_high": Meaning("units/1e6", "its 90 % quantile; −1 without a subscription"),
}
"""What `replenish` shows of it."""
UNITS = units(SEES)

STATES = {
    HOME: State(
        "the forecaster; none where the scenario has no `forecaster`",
        {"replica": Meaning("id", "where it is"), "member": Meaning("id", "its number")},
    ),
    "forecasts": State(
        "a position of a firm, subscribed or not, as the forecaster knows it",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "the firm"),
            "item": Meaning("id", "which item, in the order of the scenario"),
            "is_subscriber": Meaning("", "whether the firm subscribes"),
            "history": Meaning("units/1e6", "what was asked of it in past weeks, the newest first"),
            "pending": Meaning("units/1e6", "mean, low and high of the last forecasts, the newest first"),
            "weeks": Meaning("weeks", "how many forecasts were scored"),
            "error": Meaning("units/1e6", "their absolute errors, added up"),
            "naive_error": Meaning("units/1e6", "those of the seasonal-naive forecasts of the same weeks"),
            "scaled_weeks": Meaning("weeks", "how many errors could be scaled"),
            "scaled_error": Meaning("", "these, added up; their mean is the MASE"),
            "loss": Meaning("units/1e6", "pinball loss at 10 % and 90 %, added up"),
            "naive_loss": Meaning("units/1e6", "that of the seasonal-naive forecast, taken for both quantiles"),
            "covered": Meaning("weeks", "how often demand came from low to high"),
        },
    ),
}
_POSITION = (
    Column("member", "i8", "id", "the firm", of="member"),
    Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
)
_GUESS = tuple(Column(name, "i8", "units/1e6", ANSWERS[name].about) for name in GUESSES)
SCHEMAS = {
    "forecasts": Schema("what the forecaster tells its subscribers", 2, (*_POSITION, *_GUESS), is_rare=True),
    "forecast_scores": Schema(
        "forecasts whose horizon is over, and what came",
        2,
        (
            *_POSITION,
            *_GUESS,
            Column("actual", "i8", "units/1e6", "mean weekly demand over those weeks"),
            Column("naive", "i8", "units/1e6", "what repeating the last season would have said"),
        ),
        is_rare=True,
    ),
}


class Forecast:
    """The forecaster answers for every position of every subscriber; subscribers pay its fee.

    Its answers are put in order (low ≤ mean ≤ high) before anybody sees them.
    """

    name = "forecast"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("forecasts", "forecast_scores")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.forecaster is not None
        self.net, self.facts = net, scenario.forecaster
        self.fee = micro(self.facts.fee_eur)
        self.item_names = np.array(net.items, dtype=object)
        self.roles = np.array(ROLES, dtype=object)[net.role]

    def ask(self, world: World) -> list[Question]:
        """One question: a row for each position of a subscriber."""
        forecasts, net, facts = world.tables["forecasts"], self.net, self.facts
        rows = self._subscribed(world)
        if not len(rows):
            return []
        replica, member, item = (forecasts[name][rows] for name in ("replica", "member", "item"))
        none = np.full(len(rows), NOBODY)
        history = self._history(world)[rows, : facts.history_weeks]
        high = np.maximum(2 * history.max(axis=1), LEAST_HIGH) // MILLION * MILLION
        low, step = np.zeros(len(rows), np.int64), np.full(len(rows), MILLION)
        return [
            Question(
                role=ROLE,
                phase=self.name,
                step=world.steps,
                key=Table(
                    {
                        "replica": replica,
                        "subject": np.zeros(len(rows), np.int64),
                        "counterpart": member,
                        "item": item,
                        "round": none,
                    }
                ),
                seed=world.seed(seeds.MIND, replica),
                mind=world.tables[HOME][f"mind.{self.name}"][replica],
                columns={
                    "item_name": self.item_names[item],
                    "firm_role": self.roles[member],
                    "makes": net.makes[net.position[member, item]].astype(np.int64),
                    "history": history,
                    "season_weeks": np.full(len(rows), facts.season_weeks),
                    "horizon_weeks": np.full(len(rows), facts.horizon_weeks),
                    "week": np.full(len(rows), world.steps),
                },
                masks={"history": np.ones(history.shape, bool)},
                units=UNITS,
                fields=tuple(Bucket(name=name, low=low, high=high, step=step, unit="units/1e6") for name in GUESSES),
            )
        ]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Keep the forecasts, score those whose weeks are over, and collect the fee."""
        forecasts = world.tables["forecasts"]
        live = world.is_live[forecasts["replica"]]
        forecasts["history"][live] = self._history(world)[live]
        scores = self._score(world)
        pending = _three(forecasts["pending"])
        pending[live, 1:] = pending[live, :-1]
        pending[live, 0] = NOBODY
        if not questions:
            return {"forecast_scores": scores}
        key, answers = questions[0].key, decisions[0].answers
        guess = np.sort(np.stack([answers[name] for name in ("low", "mean", "high")], axis=1), axis=1)[:, [1, 0, 2]]
        rows = self.net.position_row(key["replica"], key["counterpart"], key["item"])
        pending[rows, 0] = guess
        self._collect(world)
        told = {"replica": key["replica"], "member": key["counterpart"], "item": key["item"]}
        return {"forecasts": Table({**told, **_named(guess)}), "forecast_scores": scores}

    def _subscribed(self, world: World) -> Array:
        """Positions of live firms that subscribe (row numbers)."""
        forecasts, firms = world.tables["forecasts"], world.tables["firms"]
        due = forecasts["is_subscriber"] & world.is_live[forecasts["replica"]]
        if "is_active" in firms:
            due &= firms["is_active"][self.net.firm_row(forecasts["replica"], forecasts["member"])]
        return np.flatnonzero(due)

    def _history(self, world: World) -> Array:
        """Demand of past weeks with last week's in front."""
        kept = world.tables["forecasts"]["history"]
        return np.concatenate([world.tables["positions"]["history"][:, :1], kept[:, :-1]], axis=1)

    def _score(self, world: World) -> Table:
        """Compare forecasts made `horizon_weeks` ago with what came; `history` ends with last week."""
        facts, forecasts = self.facts, world.tables["forecasts"]
        pending = _three(forecasts["pending"])
        due = pending[:, facts.horizon_weeks - 1, 0] >= 0
        due &= world.steps > facts.horizon_weeks + facts.season_weeks  # no week before week 1 is needed
        rows = np.flatnonzero(due & world.is_live[forecasts["replica"]])
        history, guess = forecasts["history"][rows], pending[rows, facts.horizon_weeks - 1]
        actual = history[:, : facts.horizon_weeks].sum(axis=1) // facts.horizon_weeks
        naive = accuracy.seasonal_naive(history, facts.season_weeks, facts.horizon_weeks, ago=facts.horizon_weeks)
        _add_up(forecasts, rows, guess, actual, naive)
        where = {name: forecasts[name][rows] for name in ("replica", "member", "item")}
        return Table({**where, **_named(guess), "actual": actual, "naive": naive})

    def _collect(self, world: World) -> None:
        """Every firm with a subscription pays the fee once."""
        forecasts = world.tables["forecasts"]
        rows = self._subscribed(world)
        rows = rows[forecasts["item"][rows] == self.net.sells[forecasts["member"][rows]]]
        replica, member = forecasts["replica"][rows], forecasts["member"][rows]
        payer, taker = world.ledger.rows(replica, member), world.ledger.outside("services", replica)
        world.ledger.pay("subscriptions", np.full(len(rows), self.fee), payer, taker)


def _three(pending: Array) -> Array:
    """A view of the last forecasts by week and guess, shape (positions, weeks, 3)."""
    return pending.reshape(len(pending), -1, len(GUESSES))


def shown(world: World, rows: Array) -> dict[str, Array]:
    """What `replenish` shows some positions of their forecast; nothing where there is no forecaster."""
    if "forecasts" not in world.tables:
        return {}
    last = _three(world.tables["forecasts"]["pending"])[rows, 0]  # (positions, 3)
    mean, low, high = last.T
    return {
        "has_forecast": (mean >= 0).astype(np.int64),
        "forecast": mean,
        "forecast_low": low,
        "forecast_high": high,
    }


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add `forecasters` and `forecasts`; the first forecast stands in for demand before week 1.

    Draws:
        Who subscribes, from the world's seed, keyed by firm.
    """
    facts = scenario.forecaster
    assert facts is not None
    positions, num_replicas = tables["positions"], replicas.num_rows
    tables[HOME] = Table({"replica": np.arange(num_replicas), "member": np.zeros(num_replicas, np.int64)})
    rows = positions.num_rows
    lot = seeds.uniform(
        seeds.WORLD, replicas["world_seed"][positions["replica"]], 0, "subscribers", (positions["member"],)
    )
    zeros = {name: np.zeros(rows, np.int64) for name in ("weeks", "error", "naive_error", "scaled_weeks", "covered")}
    tables["forecasts"] = Table(
        {
            **{name: positions[name].copy() for name in ("replica", "member", "item")},
            "is_subscriber": lot < facts.subscribers,
            "history": np.repeat(positions["history"][:, :1], facts.kept_weeks, axis=1),
            "pending": np.full((rows, facts.horizon_weeks * len(GUESSES)), NOBODY),
            **zeros,
            **{name: np.zeros(rows) for name in ("scaled_error", "loss", "naive_loss")},
        }
    )


def num_bytes(scenario: ManufacturingScenario) -> dict[str, int]:
    """What the tables take in a replica, 8 bytes a number."""
    facts = scenario.forecaster
    assert facts is not None
    positions = sum(firms.count * (1 + len(scenario.items[firms.sells].bom)) for firms in scenario.firms)
    return {"forecaster (× firms × parts)": 8 * positions * (12 + facts.kept_weeks + 3 * facts.horizon_weeks)}


def _named(guess: Array) -> dict[str, Array]:
    return {name: guess[:, i].copy() for i, name in enumerate(GUESSES)}


def _add_up(forecasts: Table, rows: Array, guess: Array, actual: Array, naive: Array) -> None:
    """Add scores to the running sums of some positions; errors are scaled by the naive errors of the weeks before."""
    mean, low, high = guess.T
    before = np.maximum(forecasts["weeks"][rows], 1)
    scaled = accuracy.scaled_error(actual, mean, forecasts["naive_error"][rows] / before)
    is_scaled = ~np.isnan(scaled)
    forecasts["scaled_weeks"][rows] += is_scaled
    forecasts["scaled_error"][rows] += np.where(is_scaled, scaled, 0.0)
    forecasts["weeks"][rows] += 1
    forecasts["error"][rows] += np.abs(actual - mean)
    forecasts["naive_error"][rows] += np.abs(actual - naive)
    for name, bottom, top in (("loss", low, high), ("naive_loss", naive, naive)):
        forecasts[name][rows] += accuracy.pinball_loss(actual, bottom, LOW_QUANTILE)
        forecasts[name][rows] += accuracy.pinball_loss(actual, top, HIGH_QUANTILE)
    forecasts["covered"][rows] += (low <= actual) & (actual <= high)
