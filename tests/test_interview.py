"""Free questions to members of a recorded run."""

import json

import numpy as np
import pytest

import ecosim
from ecosim import cli
from ecosim.cli.why import visible
from ecosim.errors import RunError
from ecosim.minds.language import LanguageMind
from ecosim.pool.engine import Engine

MARKET = "smart_manufacturing"


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    """A market whose distributors are a tiny model with random weights when they order."""
    cards = {"distributor": ecosim.catalog.card("distributor")}
    mind = LanguageMind(cards, Engine(tiny), name="tiny", grade="untrained")
    folder = tmp_path_factory.mktemp("runs") / "run"
    return ecosim.run(MARKET, seeds=2, steps=1, minds={"distributor.replenish": mind}, out=folder)


def test_a_member_answers_after_what_it_was_last_asked_word_for_word(run):
    (said,) = run.ask(1, 15, "What do you think\n of your stock?", max_tokens=5).statements
    recorded = run.events("answers").set_index(["replica", "subject"]).loc[(0, 15)]
    assert said.prompt == f"{recorded['prompt']} {recorded['answer']}\n\nWhat do you think of your stock?\n"
    assert (said.member, said.mind, said.voice, said.phase) == (15, "tiny", "own", "replenish")


def test_the_same_interview_has_the_same_words_alone_or_among_others(run):
    alone = [run.ask(1, member, "Why?", max_tokens=5).statements[0] for member in (14, 17)]
    together = run.ask(1, [14, 17], "Why?", max_tokens=5).statements
    assert tuple(alone) == together
    other = run.ask(1, 14, "Why not?", max_tokens=5).statements[0]
    luckier = run.ask(1, 14, "Why?", replica=1, max_tokens=5).statements[0]
    assert len({said.words for said in (alone[0], other, luckier)}) == 3, "other questions and replicas, other draws"


def test_a_whole_role_answers_in_a_table_and_the_run_is_not_touched(run):
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    found = run.ask(1, "distributor", "Why?", max_tokens=3)
    assert found.table["member"].tolist() == [14, 15, 16, 17, 18, 19]
    assert "distributor 14 (tiny): " in repr(found) and "<em>Why?</em>" in found._repr_html_()
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_member_without_language_says_nothing_and_the_way_out_is_told(run):
    with pytest.raises(RunError, match=r"supplier 3 has no language \(scripted\); --voice untrained"):
        run.ask(1, 3, "Why?")
    with pytest.raises(
        RunError, match="the mind 'tiny' of distributor 15 is not in the run's folder; from Python, pass own="
    ):
        ecosim.load(run.path).ask(1, 15, "Why?")  # its mind is not in the folder, and was not given


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--step", 1], "whom to ask: give either --member (repeatable) or --role"),
        (["--step", 1, "--member", 3, "--role", "supplier"], "whom to ask: give either"),
        (["--step", 1, "--role", "boss"], "no 'boss' was asked anything; asked were distributor, manufac"),
        (["--step", 1, "--member", 3, "--voice", "loud"], "--voice: expected own or untrained, got 'loud'"),
        (["--step", 5, "--member", 3], "no step 5 in this run; it has 1 … 1"),
        (["--step", 1, "--member", 3], "supplier 3 has no language (scripted)"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(run, monkeypatch, capsys, words, line):
    monkeypatch.setattr("sys.argv", ["ecosim", "interview", str(run.path), "Why?", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    assert (end.value.code, out, err.count("\n")) == (2, "", 1)
    assert line in err


def test_a_missing_model_is_one_line_with_the_way_out(run, monkeypatch, capsys, tmp_path):
    for name, value in (("ECOSIM_CACHE", str(tmp_path)), ("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", "")):
        monkeypatch.setenv(name, value)
    words = ("interview", run.path, "Why?", "--step", 1, "--member", 3, "--voice", "untrained")
    monkeypatch.setattr("sys.argv", ["ecosim", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    assert (end.value.code, out, err.count("\n")) == (2, "", 1)
    assert "run: ecosim models fetch smollm2-135m-instruct" in err


def test_what_a_model_writes_cannot_steer_the_terminal():
    """An escape sequence, a bell, a carriage return, a right-to-left override; line ends and letters stay."""
    text = "\x1b[31mred\x07\rover\u202ereversed\nünïcode 漢"
    assert visible(text) == "\\x1b[31mred\\x07\\rover\\u202ereversed\nünïcode 漢"


@pytest.mark.model
def test_the_base_model_speaks_for_a_script_and_is_named_as_the_voice(run, monkeypatch, capsys):
    words = ("interview", run.path, "Are you content?", "--step", 1, "--member", 3, "--voice", "untrained")
    monkeypatch.setattr("sys.argv", ["ecosim", *map(str, words), "--max-tokens", "6", "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    (said,) = json.loads(capsys.readouterr().out)["statements"]
    assert (said["voice"], said["mind"], said["role"]) == ("untrained", "scripted", "supplier")
    assert "on hand: " in said["prompt"] and said["prompt"].count("Are you content?") == 1
    assert said["words"] and np.isfinite(said["logp"])
