"""A scenario as a problem for SALib: its dict, its samples in, its indices out."""

import numpy as np
import pytest
from SALib.analyze import sobol as analyze
from SALib.sample import sobol as sample

import ecosim
from ecosim import sensitivity
from ecosim.errors import ScenarioError

MARKET = "smart_manufacturing"
BOUNDS = {"lead_time_weeks": (1, 4), "negotiation.private_spread": (0.0, 0.3)}


def test_a_problem_is_salibs_dict_with_room_for_whole_numbers_at_the_ends():
    problem = sensitivity.problem(MARKET, BOUNDS)
    assert (problem["num_vars"], problem["names"]) == (2, list(BOUNDS))
    assert problem["bounds"] == [[0.5, 4.5], [0.0, 0.3]]
    rows = sample.sample(problem, 256, calc_second_order=False, seed=1)
    weeks = [sensitivity.changes_of(problem, row)["lead_time_weeks"] for row in rows]
    shares = np.bincount(weeks, minlength=5)[1:] / len(weeks)
    assert set(weeks) == {1, 2, 3, 4}
    assert shares == pytest.approx([0.25] * 4, abs=0.01)  # a Sobol sequence fills its cells evenly


def test_a_row_is_the_run_with_its_changes():
    problem = sensitivity.problem(MARKET, BOUNDS)
    told = []
    (found,) = sensitivity.evaluate(
        problem, [[3.4, 0.2]], kpi="profit_eur", seeds=2, steps=3, tell=lambda *counts: told.append(counts)
    )
    run = ecosim.run(MARKET, seeds=2, steps=3, changes={"lead_time_weeks": 3, "negotiation.private_spread": 0.2})
    assert found == run.kpis.query("metric == 'profit_eur' and group == ''")["value"].mean()
    assert told == [(1, 1)]


@pytest.mark.slow
def test_sobol_indices_tell_what_matters_from_what_does_not():
    """What distributors earn in three weeks hangs on the price of a pump, and not on how much demand scatters."""
    problem = sensitivity.problem(MARKET, {"demand.price_eur": (40, 90), "demand.sd_units": (4.9, 5.1)})
    rows = sample.sample(problem, 4, calc_second_order=False, seed=1)
    profit = sensitivity.evaluate(problem, rows, kpi="profit_eur", group="distributor", seeds=1, steps=3)
    first, total = (analyze.analyze(problem, profit, calc_second_order=False, seed=1)[name] for name in ("S1", "ST"))
    assert first[0] > 0.7
    assert total[1] < 0.05


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"lead_time": (1, 4)}, "unknown key 'lead_time', did you mean 'lead_time_weeks'"),
        ({"lead_time_weeks": (-2, 4)}, "lead_time_weeks.*-2"),
        ({"demand.kind": (0, 1)}, "demand.kind"),
        ({"lead_time_weeks": (4, 1)}, r"lead_time_weeks: expected \(lowest, highest\), two numbers that grow"),
        ({"lead_time_weeks": 3}, "expected .lowest, highest., two numbers that grow, got 3"),
        ({}, "no keys to vary"),
    ],
)
def test_bounds_that_cannot_be_are_refused(bounds, message):
    with pytest.raises(ScenarioError, match=message):
        sensitivity.problem(MARKET, bounds)


def test_a_kpi_group_or_sample_that_is_not_there_is_refused():
    problem = sensitivity.problem(MARKET, BOUNDS)
    with pytest.raises(ScenarioError, match="kpi: unknown 'profit', did you mean 'profit_eur'"):
        sensitivity.evaluate(problem, [[1, 0.1]], kpi="profit")
    with pytest.raises(ScenarioError, match="group: no 'buyer' of profit_eur in this scenario; it has"):
        sensitivity.evaluate(problem, [[1, 0.1]], kpi="profit_eur", group="buyer", seeds=1, steps=1)
    with pytest.raises(ScenarioError, match=r"rows: expected shape \(rows, 2\), got \(1, 3\)"):
        sensitivity.evaluate(problem, [[1, 2, 3]], kpi="profit_eur")
