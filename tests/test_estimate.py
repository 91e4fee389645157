"""What a run will take, said before it runs; and how far it is, while it runs."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import ecosim
from ecosim.cli.bar import Bar
from ecosim.errors import CatalogError, ScenarioError
from ecosim.estimation import estimate
from ecosim.estimation.pace import Pace
from ecosim.estimation.pilot import stretch
from ecosim.estimation.stand_ins import Echo, Sip
from ecosim.fields import Bucket, Choice
from ecosim.minds.router import Router, Work
from ecosim.words import Decision, Question, Table

MARKET = "smart_manufacturing"


def folder_bytes(path):
    return sum(file.stat().st_size for file in path.rglob("*.parquet"))


# ---- estimates ------------------------------------------------------------------------------------------------------


def test_an_estimate_is_what_then_happens(tmp_path):
    """Two arms, one of them on one of two seeds; the estimate saw both, so what is counted is exact."""
    arms = {"usual": {}, "mild": ecosim.simulate.Arm(name="mild", minds={"distributor": "scripted"}, num_seeds=1)}
    found = estimate(MARKET, arms, seeds=2, steps=3).set_index("arm")
    run = ecosim.compare(MARKET, arms, seeds=2, steps=3, out=tmp_path / "run").run
    work = run.manifest["work_by_arm"]
    assert found["replicas"].tolist() == [2, 1, 3]
    assert found["members"].tolist() == [40, 20, 60]
    for arm in arms:
        assert found["decisions_scripted"][arm] == work[arm]["scripted"]["decisions"]
    assert found["decisions"]["total"] == run.manifest["work_by_grade"]["scripted"]["decisions"]
    assert found["disk_bytes"]["total"] == pytest.approx(folder_bytes(tmp_path / "run"), rel=0.25)
    assert found["nominal_flops"]["total"] == found["prompt_tokens"]["total"] == 0
    total = found.loc["total"]
    assert total["wall_s"] == pytest.approx(total["minds_s"] + total["world_s"] + total["record_s"])
    assert 50e6 < total["memory_bytes"] < 100e9
    assert np.isnan(found["memory_bytes"]["mild"])


def test_what_language_models_read_and_write_is_counted_as_it_will_be(tiny_folder):
    """A model with random weights in two seeds of a market: one seed is asked, the other is echoed."""
    facts = {"models": {"tiny": {"base": f"path:{tiny_folder}"}}, "negotiation.requests": 1}
    how = {"seeds": 2, "steps": 2, "minds": {"distributor.negotiate": "tiny"}, "changes": facts}
    total = estimate(MARKET, **how).set_index("arm").loc["total"]
    run = ecosim.run(MARKET, **how)
    (work,) = [w for grade, w in run.manifest["work_by_grade"].items() if grade != "scripted"]
    (pool,) = run.manifest["pools"].values()
    seen = [name for name in total.index if name.startswith("decisions_") and name != "decisions_scripted"]
    assert total[seen[0]] == pytest.approx(work["decisions"], rel=0.25)
    assert total["nominal_flops"] == pytest.approx(work["nominal_flops"], rel=0.25)
    read = pool["useful_tokens"] + pool["prefix_tokens"]
    assert total["computed_tokens"] == pytest.approx(read + pool["written_tokens"], rel=0.25)
    assert total["prompt_tokens"] == pytest.approx(read + pool["cached_prefix_tokens"] + pool["memo_tokens"], rel=0.25)


def test_what_the_pilots_did_not_see_goes_on_as_they_saw_it():
    """With hardly any time, a step of one seed and a few more stand for all: a community's viewers hardly change."""
    found = estimate("creator_community", seeds=20, steps=30, pilot_s=0.5)
    decisions = found.set_index("arm")["decisions"]["total"]
    assert decisions == pytest.approx(1_241_265, rel=0.25)  # of the whole run, which is the same on any machine
    assert "30 steps" not in found.attrs["method"]


def test_a_line_through_what_was_seen_says_how_it_goes_on():
    assert stretch([4.0] * 4, 16) == pytest.approx(4)
    assert stretch([1.0, 2.0, 3.0, 4.0], 8) == pytest.approx(36 / 10)
    assert stretch([3.0, 2.0, 1.0, 0.0], 8) == pytest.approx(1)  # less than nothing there is not


def test_an_estimate_fetches_no_model(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path))
    with pytest.raises(CatalogError, match=r"not here.*ecosim models fetch smollm2"):
        estimate(MARKET, seeds=1, steps=1, minds={"distributor.negotiate": "untrained"})
    assert list(tmp_path.iterdir()) == []


def test_a_server_is_not_called(tmp_path):
    """Nobody listens at that port. Tokens are counted from the prompts, seconds are nobody's to know."""
    changes = {"models": {"far": {"url": "http://127.0.0.1:9/v1", "model": "m"}}}
    found = estimate(MARKET, seeds=1, steps=1, minds={"distributor.negotiate": "far"}, changes=changes)
    total = found.set_index("arm").loc["total"]
    assert total["decisions_remote"] > 0
    assert total["prompt_tokens"] > 50 * total["decisions_remote"]
    assert np.isnan(total["wall_s"]) and np.isnan(total["minds_s"])
    assert not np.isnan(total["world_s"])


def test_an_estimate_refuses_what_a_run_refuses():
    with pytest.raises(ScenarioError, match="unknown role 'wizard'"):
        estimate(MARKET, minds={"wizard": "scripted"})


def test_the_command_gives_one_object_with_units_in_its_keys(shell, tmp_path):
    code, out, err = shell("estimate", "beer_game", "--steps", "2", "--json")
    found = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert found["total"]["decisions"] == found["total"]["decisions_scripted"] == 8  # four firms, two weeks
    assert {"wall_s", "memory_bytes", "disk_bytes", "nominal_flops"} < set(found["total"])
    assert list(tmp_path.iterdir()) == []


def test_the_command_shows_arms_side_by_side(shell):
    code, out, _ = shell("estimate", "beer_game", "--steps", "2", "--arm", "scripted", "--arm", "also:scripted")
    assert code == 0
    assert out.splitlines()[0].split() == ["scripted", "also", "total"]
    assert "from pilots of 2 steps" in out
    assert max(map(len, out.splitlines())) <= 100


# ---- how a pilot stands in for a model ------------------------------------------------------------------------------


def asked(allowed, high):
    """Rows that may say no or yes, and with yes a number."""
    n = len(allowed)
    key = {"replica": np.zeros(n, int), "subject": np.arange(n)}
    key |= {name: np.zeros(n, int) for name in ("counterpart", "item", "round")}
    low, step = np.zeros(n, int), np.ones(n, int)
    fields = (
        Choice(name="say", options=("no", "yes"), allowed=np.array(allowed, bool)),
        Bucket(name="much", low=low, high=np.array(high), step=step, unit="", only_if=("say", 1)),
    )
    seed = np.full(n, 7, np.uint64)
    return Question(
        role="r", phase="p", step=1, key=Table(key), seed=seed, mind=np.zeros(n, int), columns={}, fields=fields
    )


def test_an_echo_says_what_the_model_said_to_rows_that_may_say_the_same():
    echo = Echo()
    model = asked([[1, 1], [0, 1]], [10, 10])
    answers = {"say": np.array([0, 1]), "much": np.array([-1, 5])}
    echo.learn(model, Decision(answers=answers, logp=np.zeros(2), margin=np.zeros(2), flops=np.array([3, 4])))
    found = echo.decide(asked([[1, 1], [0, 1], [1, 0]], [10, 100, 10]))
    assert found.answers["say"].tolist() == [0, 1, 0]
    assert found.answers["much"].tolist() == [-1, 50, -1]  # half way up its own grid, as the model went half way
    assert found.flops.tolist()[:2] == [3, 4]


def forwards(rows, width, seconds):
    n = len(rows)
    return Table(
        {
            "kind": np.array(["score"] * n, object),
            "rows": np.array(rows),
            "width": np.full(n, width),
            "padded_tokens": np.array(rows) * width,
            "seconds": np.array(seconds, float),
        }
    )


def test_many_rows_at_once_take_less_than_many_times_as_long():
    """Forwards of 1 s and 0.01 s a token: 10 rows of 10 tokens took 2 s, 5 took 1.5 s. A batch holds 20 such rows."""
    costs = {"shown_tokens": 0, "read_tokens": 0, "written_tokens": 0, "prefix_tokens": 0, "trace_rows": 0}
    sips = [
        Sip(question="r.p", rows=10, seconds=2.0, batches=forwards([10], 10, [2.0]), **costs),
        Sip(question="r.p", rows=5, seconds=1.5, batches=forwards([5], 10, [1.5]), **costs),
        Sip(question="r.p", rows=10, seconds=2.0, batches=forwards([10], 10, [2.0]), **costs),
    ]
    pace = Pace(sips, sips, token_budget=200, batch_limit=None)
    assert pace.seconds(np.array([10, 20, 100])).tolist() == pytest.approx([2.0, 3.0, 15.0])


# ---- progress -------------------------------------------------------------------------------------------------------


def test_work_of_the_round_under_way_is_seen_before_it_is_booked():
    class Slow:
        name, grade, tally = "slow", "untrained", (0, 0)

    slow, seen = Slow(), []
    router = Router([slow], lambda jobs: [answer(slow, job, seen, router) for job in jobs], ["a", "b"])
    question = asked([[1, 1], [1, 1]], [10, 10])
    question.key["replica"][:] = [0, 1]
    router.decide([question])
    assert [work["untrained"].decisions for work in seen] == [1, 2]
    assert [work["untrained"].flops for work in seen] == [5, 10]
    assert router.so_far()["untrained"] == router.work["untrained"] == Work(2, 1.0, 11)
    assert {arm: work["untrained"].flops for arm, work in router.work_by_arm.items()} == {"a": 5, "b": 6}


def answer(mind, job, seen, router):
    for row in (1, 2):
        mind.tally = (row, 5 * row)
        seen.append(router.so_far())
    answers = {"say": np.zeros(2, int), "much": np.full(2, -1)}
    return Decision(answers=answers, logp=np.zeros(2), margin=np.zeros(2), flops=np.array([5, 6])), 1.0


def test_the_lines_of_progress_fit_a_terminal(monkeypatch):
    bar = Bar(52)
    router = Router([], lambda jobs: [])
    router.work = {"scripted": Work(1_240_000, 2.0, 0), "untrained": Work(1_234, 200.0, 12_300_000_000_000)}
    with bar.watch(11, router):
        bar(12, router)
        top, below = bar.lines(router)
    assert top.startswith("step 13 of 52 ━━━━━╌")
    assert below.startswith("untrained 1,234 at 6.17/s · models 0% · 12.3TFLOP · scripted 1,240,000 at 620k/s")
    assert max(len(top), len(below)) <= 80


def test_progress_is_silent_where_nobody_looks(shell):
    code, _, err = shell("run", "beer_game", "--steps", "2", "--no-report", "--out", "run")
    assert (code, err) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
def test_a_run_that_is_interrupted_leaves_the_terminal_as_it_was(tmp_path):
    """On a real terminal: the cursor is back, and what is said of the run stays readable."""
    import pty

    terminal, theirs = pty.openpty()
    words = [sys.executable, "-m", "ecosim.cli", "run", MARKET, "--steps", "500", "--seeds", "1", "--no-report"]
    run = subprocess.Popen(
        [*words, "--out", "run", "--snapshot-every", "1"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores Ctrl-C
    )
    os.close(theirs)
    text = read_until(terminal, " of 500")
    run.send_signal(signal.SIGINT)
    text += read_until(terminal, None)
    os.close(terminal)
    assert run.wait(30) == 130
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l") >= 0  # the cursor, shown and hidden
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text[text.rfind("\x1b[?25h") :]).split("\r\n")
    said = [line.strip() for line in said if line.strip()]
    assert re.match(r"\d+ of 500 steps in .*: scripted [\d,]+ at ", said[0])
    assert said[-1] == "ecosim: go on with: ecosim resume run"


def read_until(terminal, wanted, limit_s=60):
    found, end = "", time.monotonic() + limit_s
    while time.monotonic() < end and (wanted is None or wanted not in found):
        try:
            more = os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # how Linux says that the other side has gone
            break
        if not more:
            break
        found += more
    return found


def test_the_seconds_of_a_run_sum_to_its_wall_time(tmp_path):
    manifest = ecosim.run(MARKET, seeds=2, steps=3, out=tmp_path / "run").manifest
    assert sum(manifest["seconds_by_part"].values()) == pytest.approx(manifest["wall_s"], rel=0.02)
    assert manifest["work_by_arm"]["all"]["scripted"]["decisions"] == manifest["work_by_grade"]["scripted"]["decisions"]


def test_work_by_arm_goes_on_after_a_resume(tmp_path):
    def stop(step, router):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ecosim.run("beer_game", steps=4, out=tmp_path / "run", snapshot_every=1, progress=stop)
    work = ecosim.resume(tmp_path / "run").manifest["work_by_arm"]
    assert work == {"all": {"scripted": {"decisions": 16, "nominal_flops": 0}}}  # four firms, four weeks
