"""The forecaster: what it sees, what it is scored by, and what those do who see its forecasts."""

import numpy as np
import pytest

import ecosim
from ecosim import simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import experts, forecasters
from ecosim.opening import Arm
from ecosim.rules import accuracy

NAME = "demand_forecaster"
ALL = ("moving_average", "seasonal_naive", "exponential_smoothing")


# ---- the rules ------------------------------------------------------------------------------------------------------


def test_pinball_loss_of_five_weeks_by_hand():
    """q = .9: demand above the forecast costs .9 a unit, below it .1 a unit (Koenker, Bassett 1978)."""
    demand, forecast = np.array([10, 12, 8, 20, 10]), np.full(5, 10)
    assert accuracy.pinball_loss(demand, forecast, 0.9).tolist() == pytest.approx([0, 1.8, 0.2, 9.0, 0])
    assert accuracy.pinball_loss(demand, forecast, 0.1).tolist() == pytest.approx([0, 0.2, 1.8, 1.0, 0])


def test_scaled_errors_by_hand():
    """In sample 2, 4, 3, 7 the naive forecast errs by 2, 1, 4: the scale is 7/3, and an error of 7 counts 3."""
    history = np.array([2, 4, 3, 7])
    scale = np.abs(np.diff(history)).mean()
    assert accuracy.scaled_error(np.array([10]), np.array([3]), np.array([scale]))[0] == pytest.approx(3.0)


def test_seasonal_naive_repeats_the_season_and_knows_only_what_was_known():
    """Newest first 8 7 6 5 4 3 2 1, season 4: the next four weeks are 5 6 7 8, then 5 6 again."""
    history = np.arange(8, 0, -1)[None, :]
    assert [accuracy.seasonal_naive(history, 4, h)[0] for h in (1, 2, 4)] == [5, 5, 6]  # 5, 5.5, 6.5 rounded down
    assert accuracy.seasonal_naive(history, 4, 6)[0] == (5 + 6 + 7 + 8 + 5 + 6) // 6
    assert accuracy.seasonal_naive(history, 4, 2, ago=2)[0] == (3 + 4) // 2
    assert accuracy.seasonal_naive(history, 1, 3)[0] == 8


# ---- in the market --------------------------------------------------------------------------------------------------


def test_scores_of_a_run_are_those_of_a_slow_reference():
    """MASE, pinball ratio and coverage from the event table `forecast_scores` alone."""
    run = ecosim.run(NAME, seeds=2, steps=20, changes={"forecaster.horizon_weeks": 2})
    scores = run.events("forecast_scores")
    kpis = run.kpis.set_index(["replica", "metric"])["value"]
    for replica, rows in scores.groupby("replica"):
        scaled = []
        for _, one in rows.groupby(["member", "item"]):
            naive = (one["actual"] - one["naive"]).abs().cumsum().shift(1, fill_value=0) / np.maximum(
                np.arange(len(one)), 1
            )
            ok = (naive > 0).to_numpy()
            if ok.any():
                scaled.append(((one["actual"] - one["mean"]).abs()[ok] / naive[ok]).mean())
        assert kpis[replica, "mase"] == pytest.approx(np.mean(scaled))

        def loss(column, q, of=rows):
            gap = of["actual"] - of[column]
            return np.maximum(q * gap, (q - 1) * gap).sum()

        ours, theirs = (loss("low", 0.1) + loss("high", 0.9)), (loss("naive", 0.1) + loss("naive", 0.9))
        assert kpis[replica, "pinball_ratio"] == pytest.approx(ours / theirs)
        covered = ((rows["low"] <= rows["actual"]) & (rows["actual"] <= rows["high"])).mean()
        assert kpis[replica, "forecast_coverage"] == pytest.approx(covered)


def test_what_came_is_what_consumers_asked_for():
    run = ecosim.run(NAME, seeds=1, steps=14, changes={"forecaster.horizon_weeks": 3})
    demand = run.events("demand").pivot_table(index="step", columns="member", values="wanted")
    scores = run.events("forecast_scores").query("member in @demand.columns and item == 2")
    assert len(scores) == 6 * (14 - 4)  # from week 5 on: forecasts of week 2 and later, so that week 1 is known
    for row in scores.itertuples():
        assert row.actual == pytest.approx(demand.loc[row.step - 3 : row.step - 1, row.member].mean(), abs=1e-6)
        assert row.naive == demand.loc[row.step - 4, row.member]


def test_seasonal_naive_as_a_mind_is_the_yardstick_itself():
    run = ecosim.run(NAME, seeds=2, steps=20, minds={"forecaster": "seasonal_naive"})
    ratio = run.kpis.query("metric == 'forecast_error_ratio'")["value"]
    assert ratio.tolist() == pytest.approx([1, 1], abs=0.02)  # its answers are whole units


@pytest.mark.parametrize("name", ALL)
def test_a_forecast_of_steady_demand_is_that_demand(name):
    question = testing.questions(NAME, steps=1, phase="forecast")[0]
    steady = question["history"].copy()
    steady[:] = 20 * MILLION
    answers = forecasters.FORECAST[name](question.take(slice(None)))
    still = forecasters.FORECAST[name](_with_history(question, steady))
    assert all((still[field] == 20 * MILLION).all() for field in ("mean", "low", "high"))
    assert (answers["low"] <= answers["mean"]).all() and (answers["mean"] <= answers["high"]).all()


def _with_history(question, history):
    from dataclasses import replace

    return replace(question, columns={**question.columns, "history": history})


def test_smoothing_moves_thirty_percent_of_the_way():
    """Ten weeks of 10, then one of 20: the level is 13."""
    question = testing.questions(NAME, steps=1, phase="forecast")[0]
    history = np.full_like(question["history"], 10 * MILLION)
    history[:, 0] = 20 * MILLION
    assert (forecasters.exponential_smoothing(_with_history(question, history))["mean"] == 13 * MILLION).all()


def test_answers_are_put_in_order_before_subscribers_see_them():
    def upside_down(question):
        whole = np.full(question.num_rows, MILLION)
        return {"mean": 5 * whole, "low": 9 * whole, "high": 1 * whole}

    told = ecosim.run(NAME, seeds=1, steps=2, minds={"forecaster": upside_down}).events("forecasts")
    assert told[["low", "mean", "high"]].drop_duplicates().to_numpy().tolist() == [[1, 5, 9]]


def test_only_subscribers_see_forecasts_and_pay():
    changes = {"forecaster.subscribers": 0.5, "forecaster.fee_eur": 3.0}
    facts = simulate.load_scenario(NAME, changes).with_changes(seeds=2, steps=4)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    for _ in range(4):
        world.step()
    assert world.is_live.all()
    forecasts, books = world.tables["forecasts"], world.ledger
    members = books.accounts.take(books.accounts["is_member"])
    paid = -members["cash_by_reason"][:, books.reasons.index("subscriptions")].reshape(2, 20)
    subscribes = np.zeros((2, 20), bool)
    subscribes[forecasts["replica"], forecasts["member"]] = forecasts["is_subscriber"]
    assert (paid == np.where(subscribes, 4 * 3 * MILLION, 0)).all() and 10 < subscribes.sum() < 30
    for question in testing.questions(facts, steps=2, phase="replenish"):
        sees = subscribes[question.key["replica"], question.key["subject"]]
        assert (question["has_forecast"] == sees).all()
        assert (question["forecast"][~sees] == -1).all() and (question["forecast"][sees] >= 0).all()


def test_without_a_subscription_a_firm_plans_as_ever():
    facts = simulate.load_scenario(NAME, {"forecaster.subscribers": 0.0})
    for question in testing.questions(facts, steps=3, phase="replenish"):
        plain = experts.order_up_to(question)["quantity"]
        assert (experts.forecast_driven(question)["quantity"] == plain).all()
    plain = testing.questions("smart_manufacturing", steps=1, phase="replenish")[0]
    assert (experts.forecast_driven(plain)["quantity"] == experts.order_up_to(plain)["quantity"]).all()


def test_a_subscriber_orders_up_to_forecast_and_margin():
    """forecast · (L + 2) + (high − forecast) · (L + 1) − position, in whole units."""
    question = testing.questions(NAME, steps=4, phase="replenish")[-1]
    weeks = question["lead_time"] + 1
    target = question["forecast"] * (weeks + 1) + (question["forecast_high"] - question["forecast"]) * weeks
    gap = target - question["on_hand"] - question["on_order"] + question["owed"]
    wish = np.clip(-(-gap // MILLION), 0, 200) * MILLION
    assert (experts.forecast_driven(question)["quantity"] == wish).all()


def test_arms_with_other_forecasters_meet_the_same_world():
    run = ecosim.compare(NAME, {"a": {}, "b": {"forecaster": "seasonal_naive"}}, seeds=2, steps=8).run
    demand = run.events("demand")
    half = [
        demand[demand["replica"].isin(rows)].drop(columns="replica").reset_index(drop=True) for rows in ((0, 1), (2, 3))
    ]
    assert half[0]["wanted"].tolist() == half[1]["wanted"].tolist()
    told = run.events("forecasts")
    assert told[told["replica"] < 2]["mean"].tolist() != told[told["replica"] >= 2]["mean"].tolist()


def test_a_market_with_a_forecaster_has_the_same_digest_alone_and_among_others():
    testing.check_alone(simulate.load_scenario(NAME, {"forecaster.subscribers": 0.5}), seeds=2, steps=8)


def test_ask_writes_nothing_and_any_mind_may_sit_there():
    facts = simulate.load_scenario(NAME).with_changes(seeds=2, steps=3)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    world.step()
    phase = next(phase for phase in world.phases if phase.name == "forecast")
    testing.check_phase(phase, world)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"horizon_weeks": 0}, r"forecaster\.horizon_weeks: input should be greater than or equal to 1, got 0"),
        ({"season_weeks": 105}, r"forecaster\.season_weeks: input should be less than or equal to 104, got 105"),
        ({"subscribers": 1.5}, r"forecaster\.subscribers: input should be less than or equal to 1, got 1\.5"),
        ({"fee_eur": -1}, r"forecaster\.fee_eur: input should be greater than or equal to 0, got -1"),
    ],
)
def test_a_bad_forecaster_is_one_clear_line(changes, fault):
    with pytest.raises(ScenarioError, match=fault):
        simulate.load_scenario("smart_manufacturing", {"forecaster": changes})


def test_unknown_minds_of_a_forecaster_are_told():
    with pytest.raises(
        ScenarioError, match=r"minds\.forecaster: unknown mind 'moving_avrage', did you mean 'moving_average'"
    ):
        ecosim.run(NAME, seeds=1, steps=1, minds={"forecaster": "moving_avrage"})
