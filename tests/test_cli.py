"""The command line: what it prints, its exit codes, and that a fault writes nothing."""

import inspect
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

import ecosim
from ecosim import catalog, cli
from ecosim.cli import show

MARKET = "smart_manufacturing"
TINY = ("--seeds", "2", "--steps", "2", "--no-report")


def nothing(folder: Path) -> bool:
    return list(folder.iterdir()) == []


def one_object(text: str) -> dict:
    """The one JSON object that a text is; not a number (NaN, Infinity) is no JSON."""
    assert text.count("\n") == 1

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found = json.loads(text, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


# ---- what works -----------------------------------------------------------------------------------------------------


def test_help_lists_the_commands(shell):
    done = shell("--help")
    assert (done.code, done.err) == (0, "")
    for command in ("run", "compare", "report", "check", "demo", "models", "bench"):
        assert f"│ {command} " in done.out


@pytest.mark.parametrize("command", ["run", "compare", "report", "check", "demo", "models", "bench"])
def test_every_command_has_help(shell, command):
    done = shell(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"ecosim {command}" in done.out


def leaves(command=None, words=()):
    """Every command that does something, by the words that call it."""
    command = command if command is not None else typer.main.get_command(cli.app)
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, (*words, name))
    if not hasattr(command, "commands"):
        yield words, command


def test_every_command_gives_json_and_has_an_example_that_can_be_typed():
    found = dict(leaves())
    assert len(found) >= 16
    for words, command in found.items():
        name = " ".join(words)
        assert any("--json" in option.opts for option in command.params), f"ecosim {name} has no --json"
        examples = re.findall(r"`ecosim ([^`]*)`", inspect.cleandoc(command.help or ""))
        assert examples, f"ecosim {name} has no example in its help"
        for example in examples:
            typed = shlex.split(example)
            assert tuple(typed[: len(words)]) == words, example
            command.make_context(name, typed[len(words) :])  # raises where an option or argument is not one


def test_the_version(shell):
    assert shell("--version") == (0, f"{ecosim.__version__}\n", "")


def test_a_run_prints_its_figures_and_where_it_is(shell, tmp_path):
    done = shell("run", MARKET, *TINY)
    assert (done.code, done.err) == (0, "")
    (folder,) = (tmp_path / "results" / MARKET).iterdir()
    assert done.out.splitlines()[-1] == f"run     {folder.relative_to(tmp_path)}"
    assert "fill_rate" in done.out
    manifest = ecosim.load(folder).manifest
    assert (manifest["status"], manifest["steps_done"], len(manifest["digests"])) == ("done", 2, 2)


def test_a_run_has_its_report_beside_it(shell, tmp_path):
    done = shell("run", "beer_game", "--steps", "6", "--out", "game")
    assert done.out.splitlines()[-1] == "report  game/report.html"
    written = (tmp_path / "game" / "report.html").read_text(encoding="utf-8")
    assert "<h1>The beer game</h1>" in written
    (tmp_path / "game" / "report.html").unlink()
    assert shell("report", "game") == (0, "game/report.html\n", "")
    assert (tmp_path / "game" / "report.html").read_text(encoding="utf-8") == written


def test_a_run_in_json_is_one_object_and_nothing_else(shell, tmp_path):
    done = shell("run", MARKET, *TINY, "--out", "here", "--json")
    assert (done.code, done.err) == (0, "")
    found = one_object(done.out)
    assert (found["folder"], found["report"]) == ("here", None)
    assert found["manifest"] == json.loads((tmp_path / "here" / "manifest.json").read_text(encoding="utf-8"))


def test_a_change_is_in_the_manifest(shell):
    done = shell("run", MARKET, *TINY, "--set", "lead_time_weeks=3", "--set", "items.pump.value_eur=60.5", "--json")
    scenario = one_object(done.out)["manifest"]["scenario"]
    assert (scenario["lead_time_weeks"], scenario["items"]["pump"]["value_eur"]) == (3, 60.5)


def test_a_comparison_prints_a_table_an_arm_that_fits_a_terminal(shell):
    done = shell(
        "compare", MARKET, "--arm", "scripted", "--arm", "soft:distributor.negotiate=conceder", "--same", *TINY
    )
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line for line in lines if " less " in line] == [
        "scripted again less scripted, 2 pairs",
        "soft less scripted, 2 pairs",
    ]
    assert max(map(len, lines)) <= 80
    assert "…" not in done.out.replace(" … ", "")  # that of an interval stands alone; no word was cut


def test_a_comparison_in_json_has_a_row_a_figure_and_arm(shell):
    arms = ("--arm", "scripted", "--arm", "distributor.negotiate=conceder")
    found = one_object(shell("compare", MARKET, *arms, *TINY, "--json").out)
    rows = [row for row in found["comparison"] if (row["metric"], row["group"]) == ("fill_rate", "")]
    assert [(row["arm"], row["baseline"], row["pairs"]) for row in rows] == [
        ("distributor.negotiate=conceder", "scripted", 2)
    ]
    assert [arm["minds"] for arm in found["manifest"]["arms"]][1] == {"distributor.negotiate": ["conceder"]}


def test_an_arm_may_have_fewer_seeds(shell):
    arms = ("--arm", "scripted", "--arm", "distributor.negotiate=conceder@2")
    found = one_object(shell("compare", "--seeds", 3, MARKET, *arms, "--steps", 2, "--no-report", "--json").out)
    assert found["manifest"]["replicas"]["arm"] == [0, 0, 0, 1, 1]
    assert {row["pairs"] for row in found["comparison"]} == {2}


def test_check_says_what_a_scenario_is(shell, tmp_path):
    assert shell("check", "beer_game") == (0, "beer_game: good. The beer game: 1 seed, 36 steps.\n", "")
    assert one_object(shell("check", "beer_game", "--set", "steps=5", "--json").out)["steps"] == 5
    assert nothing(tmp_path)


def test_check_reads_a_card_and_its_templates(shell, tmp_path):
    card = shutil.copytree(catalog.root() / "agents" / "supplier", tmp_path / "supplier") / "card.yaml"
    told = shell("check", "supplier/card.yaml").out
    assert told.startswith("supplier/card.yaml: good. supplier: prompts for replenish, ")
    assert {"negotiate", "replenish"} <= set(one_object(shell("check", card, "--json").out)["questions"])
    (tmp_path / "supplier" / "replenish.j2").write_text("You sell.\n=====\n{{ open('/etc/passwd') }}\n")
    done = shell("check", card)
    assert (done.code, done.out) == (2, "") and "replenish.j2" in done.err


def test_check_says_which_arms_a_scenario_is_for(shell, tmp_path):
    text = (catalog.root() / "scenarios" / "beer_game.yaml").read_text(encoding="utf-8")
    change = "{step: 3, message: News, arms: [shock]}"
    (tmp_path / "mine.yaml").write_text(f"{text}\ninterventions:\n  - {change}\n", encoding="utf-8")
    done = shell("check", "mine.yaml")
    assert (done.code, done.out.splitlines()[0].partition("steps. ")[2]) == (
        0,
        "For a comparison: it changes the arms shock.",
    )
    refused = shell("estimate", "mine.yaml", "--steps", 3)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert refused.err.startswith("ecosim: mine.yaml: interventions[0].arms: this run has no arm 'shock'")


def test_tables_show_words_as_they_are(shell, capsys, monkeypatch):
    """What is markup to rich is text here, names are whole, and numbers too."""
    monkeypatch.setenv("COLUMNS", "60")
    show.rows([{"figure": "a_name_of_some_length", "value": "[red]words[/red] " * 6, "mean": 12345.678}])
    out = capsys.readouterr().out
    assert out.count("[red]words[/red]") == 6
    assert "a_name_of_some_length" in out and "12345.678" in out
    assert max(map(len, out.splitlines())) <= 60


def test_the_models_are_listed(shell):
    done = shell("models", "list")
    assert (done.code, done.err) == (0, "")
    names = [line.split()[0] for line in done.out.splitlines()]
    assert names == ["name", "smollm2-135m-instruct", "minilm-l6-v2", "films", "movielens-100k"]


# ---- faults: one line, exit code 2, nothing written -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run", "smart_manufacturin"], "no scenario 'smart_manufacturin', did you mean 'smart_manufacturing'?"),
        (["run", "mine.yaml"], "mine.yaml: there is no such file"),
        (["run", "../.."], "../..: is a folder; name the file in it"),
        (["run", MARKET, "--mind", "distributr=scripted"], "unknown role 'distributr', did you mean 'distributor'?"),
        (["run", MARKET, "--mind", "distributor=untraned"], "unknown mind 'untraned', did you mean 'untrained'?"),
        (["run", MARKET, "--mind", "distributor"], "--mind: expected role=mind or role.phase=mind, got 'distributor'"),
        (["run", MARKET, "--set", "lead_tme_weeks=3"], "'lead_tme_weeks', did you mean 'lead_time_weeks'?"),
        (["run", MARKET, "--set", "lead_time_weeks"], "expected key=value, such as lead_time_weeks=3"),
        (["run", MARKET, "--set", "lead_time_weeks=soon"], "input should be a valid integer, got 'soon'"),
        (["run", MARKET, "--set", "lead_time_weeks=-1"], "input should be greater than or equal to 0, got -1"),
        (["run", MARKET, "--set", "items.pumps.value_eur=1"], "items.pumps.value_eur: there is no 'pumps'"),
        (["run", MARKET, "--seeds", "0"], "equal to 1. See "),
        (["run", MARKET, "--seed", "3"], "--seed"),
        (["rn", MARKET], "No such command 'rn'"),
        (["run"], "issing argument 'scenario'"),
        (["compare", MARKET, "--arm", "scripted"], "--arm: a comparison needs at least two, got 1"),
        (["compare", MARKET, "--arm", "scripted", "--arm", "scripted"], "--arm: two arms have the same name"),
        (["compare", MARKET, "--arm", "scripted", "--arm", "supplier=concedr"], "'concedr', did you mean 'conceder'?"),
        (["compare", MARKET, "--arm", "scripted", "--arm", "supplier=conceder"], "answers only supplier.negotiate"),
        (["compare", MARKET, "--arm", "scripted", "--arm", "b:supplier=scripted@x"], "a number of seeds, got 'x'"),
        (["compare", "beer_game", "--arm", "a:scripted", "--arm", "scripted"], "--seeds: a comparison needs at least"),
        (["report", "nowhere"], "nowhere: there is no such folder"),
        (["check", MARKET, "--set", "steps=0"], "steps: input should be greater than or equal to 1, got 0"),
        (["models", "show", "smollm"], "model 'smollm' is unknown; known: smollm2-135m-instruct"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_fault_is_one_line_and_writes_nothing(shell, tmp_path, words, line):
    done = shell(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("ecosim: ")
    assert done.err.count("\n") == 1
    assert line in done.err
    assert nothing(tmp_path)


def test_all_faults_of_a_file_come_in_one_go_a_line_each(shell, tmp_path):
    market = (Path(ecosim.catalog.root()) / "scenarios" / f"{MARKET}.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(market + "sedes: 3\nminds: {suplier: scripted}\n", encoding="utf-8")
    done = shell("check", "mine.yaml")
    assert (done.code, done.out) == (2, "")
    last = market.count("\n")
    assert done.err.splitlines() == [
        f"ecosim: mine.yaml:{last + 1}: sedes: unknown key 'sedes', did you mean 'seeds'?",
        f"ecosim: mine.yaml:{last + 2}: minds.suplier: unknown role 'suplier', did you mean 'supplier'?",
    ]


def test_a_folder_that_is_there_is_refused_and_left_alone(shell, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    done = shell("run", MARKET, *TINY, "--out", "mine")
    assert done == (2, "", "ecosim: mine: exists already; name another folder with --out, or remove it\n")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_folder_that_is_no_run_has_no_report(shell, tmp_path):
    (tmp_path / "mine").mkdir()
    assert shell("report", "mine") == (2, "", "ecosim: mine: not a run: there is no manifest.json in it\n")
    assert nothing(tmp_path / "mine")


def test_a_model_that_is_not_here_and_cannot_come_is_told_with_the_way_out(shell, tmp_path, monkeypatch):
    """pip is told to use no index, which is what a machine without network comes to."""
    cache = tmp_path / "cache"
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("ECOSIM_CACHE", str(cache))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.chdir(work)
    done = shell("run", MARKET, *TINY, "--mind", "distributor.negotiate=untrained")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("ecosim: 'smollm2-135m-instruct' is not in ")
    assert "where there is network, run: ecosim models fetch smollm2-135m-instruct" in done.err
    assert done.err.count("\n") == 1
    assert nothing(work)
    assert not cache.exists() or nothing(cache)


# ---- Ctrl-C ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one child process")
def test_ctrl_c_keeps_what_was_recorded_and_says_so(tmp_path):
    command = [sys.executable, "-m", "ecosim.cli", "run", MARKET, "--steps", "100000", "--seeds", "1", "--out", "mine"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores Ctrl-C
    )
    manifest = tmp_path / "mine" / "manifest.json"
    deadline = time.monotonic() + 120
    while not manifest.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)  # a few weeks
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines() == [
        "ecosim: interrupted; what was recorded so far is kept",
        "ecosim: go on with: ecosim resume mine",
    ]
    run = ecosim.load(tmp_path / "mine")
    weeks = run.manifest["steps_done"]
    assert run.manifest["status"] == "interrupted"
    assert 1 <= weeks < 100_000
    assert run.events("demand")["step"].max() in (weeks - 1, weeks)  # the last week may be half done


def test_a_demonstration_names_who_may_take_seats(shell):
    done = shell("demo", "--minds", "genius")
    assert done == (2, "", "ecosim: --minds: must be one of default, writer, untrained, scripted, got 'genius'\n")
