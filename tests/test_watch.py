"""A run as it goes: stepped, paused and stopped by buttons or by code, and a run like any other when it is over."""

import sys

import numpy as np
import pytest

import ecosim
from ecosim.errors import DecisionError, RunError, ScenarioError

GAME = "beer_game"


def test_a_watched_run_that_plays_to_its_end_is_the_run_that_nobody_watched():
    panel = ecosim.watch(GAME, steps=5).wait(60)
    assert panel.status == "done"
    assert panel.run.manifest["digests"] == ecosim.run(GAME, steps=5).manifest["digests"]
    assert panel.run.world(0).steps == 5


def test_a_step_at_a_time_shows_what_there_is_so_far():
    panel = ecosim.watch(GAME, steps=5, play=False, metric="order_units")
    assert (panel.status, repr(panel)) == ("waiting", "<waiting run 'The beer game': step 0 of 5>")
    for wanted in (1, 2):
        panel.step()
        panel.wait(60)
        assert (panel.steps_done, panel.status) == (wanted, "waiting")
    assert panel.so_far.metrics["step"].max() == 2
    assert panel.metric.value == "order_units"
    before = bytes(panel._picture.value)
    assert before.startswith(b"\x89PNG")
    panel.metric.value = "stock_units"
    assert bytes(panel._picture.value) != before
    with pytest.raises(RunError, match=r"the run is at step 2 of 5; first: wait\(\) or stop\(\)"):
        _ = panel.run
    panel.stop(60)


def test_a_stopped_run_can_be_looked_at():
    panel = ecosim.watch(GAME, steps=5, play=False)
    panel.step()
    panel.wait(60).stop(60)
    assert panel.status == "stopped"
    assert panel.run.manifest["status"] == "interrupted"
    assert panel.run.metrics["step"].unique().tolist() == [1]
    assert panel.run.events("stocks")["step"].unique().tolist() == [1]
    assert "interrupted, of 5 planned" in panel.run._repr_html_()
    with pytest.raises(RunError, match=r"this one is interrupted after step 1 of 5; run\.metrics and run\.events"):
        _ = panel.run.kpis


def test_buttons_do_what_the_methods_do():
    panel = ecosim.watch(GAME, steps=5, play=False)
    panel._step.click()
    panel.wait(60)
    assert (panel.steps_done, panel._play.description, panel._bar.value) == (1, "play", 1)
    panel._play.click()
    panel.wait(60)
    assert panel.status == "done"
    assert all(button.disabled for button in (panel._play, panel._step, panel._stop))
    assert panel._told.value == "5 steps of 5, done"


def test_a_paused_run_waits_and_goes_on():
    panel = ecosim.watch("smart_manufacturing", seeds=1, steps=8, play=False)
    panel.delay_s = 0.05
    panel.play()
    panel.pause()
    at = panel.wait(60).steps_done
    assert at < 8
    panel.delay_s = 0
    panel.play()
    assert panel.wait(60).status == "done"


def test_a_mind_that_fails_is_told_and_what_was_before_can_be_looked_at():
    def late_fool(question):
        return {"quantity": np.zeros(question.num_rows, np.int64) - (question.step == 2)}

    panel = ecosim.watch("smart_manufacturing", seeds=1, steps=4, minds={"distributor.replenish": late_fool})
    with pytest.raises(DecisionError, match=r"distributor\.replenish, step 2.* is not allowed here"):
        panel.wait(60)
    assert panel.status == "failed"
    assert "is not allowed here" in panel._told.value
    assert panel.run.metrics["step"].max() == 1


def test_arms_are_watched_side_by_side():
    panel = ecosim.watch(
        "smart_manufacturing", seeds=2, steps=2, arms={"usual": {}, "soft": {"distributor": "scripted"}}
    )
    assert panel.wait(60).run.arms == ["usual", "soft"]


def test_what_cannot_be_is_refused_before_anything_runs(monkeypatch, tmp_path):
    with pytest.raises(ScenarioError, match="metric: unknown 'stock'; known: demand_units"):
        ecosim.watch(GAME, metric="stock")
    with pytest.raises(ScenarioError, match="unknown mind 'genius'"):
        ecosim.watch(GAME, minds={"distributor": "genius"})
    with pytest.raises(RunError, match="exists already; name another folder"):
        ecosim.watch(GAME, out=tmp_path)
    panel = ecosim.watch(GAME, play=False)
    panel.stop()
    with pytest.raises(RunError, match="the run was stopped before its first step"):
        _ = panel.run
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(RunError, match=r"needs ipywidgets: pip install 'ecosim\[notebook\]'"):
        ecosim.watch(GAME)
