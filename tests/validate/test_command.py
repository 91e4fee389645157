"""`ecosim validate`: what it prints, its exit codes, and what it calls validation."""

import json
import re
from dataclasses import replace

import pytest

from ecosim import validate
from ecosim.errors import DecisionError
from ecosim.manufacturing.tactics import NEGOTIATE, conceder
from ecosim.validate.cases import KINDS, Case, Unavailable, exactly, within
from ecosim.validate.table import rows

QUICK = ("--case", "bargaining_boulware_boulware", "--case", "beer_game_people")


def a_case(compute, kind="V1"):
    return Case(name="a", part="minds", kind=kind, shows="s", source="t", method="m", compute=compute)


def test_every_figure_is_shown_with_target_tolerance_source_and_class(shell):
    code, out, err = shell("validate", "manufacturing", *QUICK)
    assert (code, err) == (0, "")
    verification, validation = out.split("Validation (V3 empirical pattern, V4 human behaviour)")
    assert verification.startswith("Verification (V1 exact law, V2 agreement with another simulator)")
    assert "bargaining_boulware_boulware  V1  manufacturing" in verification
    assert re.search(r"price agreed, % of pie +50 +50 +exactly +met", verification)
    assert "Faratin, Sierra, Jennings (1998)" in verification
    assert re.search(r"total cost, \$ +2,479 +2,028 +1014 … 4056 \(a factor of 2", validation)
    assert re.search(r"2 cases in \d+ s: 2 met\n$", out)


def test_only_patterns_and_people_are_called_validation():
    every = validate.cases()
    assert len(every) >= 30 and len({case.name for case in every}) == len(every)
    assert {case.part for case in every} == set(validate.PARTS)
    for case in every:
        assert case.kind in KINDS
        assert case.is_validation == (case.kind in ("V3", "V4"))
        assert case.source and case.method and case.shows
    assert {case.name for case in every if case.is_validation} == {
        "beer_game_people",
        "music_lab",
        "retraining_language",
    }


def test_one_json_object_holds_every_figure(shell):
    code, out, err = shell("validate", "manufacturing", "--json", *QUICK)
    assert (code, err, out.count("\n")) == (0, "", 1)
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (found["cases"], found["met"], found["missed"], found["skipped"]) == (2, 2, 0, 0)
    first = found["figures"][-1]
    assert (first["case"], first["class"], first["figure"], first["verdict"]) == (
        "bargaining_boulware_boulware", "V1", "round of the agreement", "met",
    )  # fmt: skip
    assert {"found", "target", "low", "high", "tolerance", "unit", "source", "method", "wall_s"} <= set(first)
    people = [row for row in found["figures"] if row["case"] == "beer_game_people"]
    assert people and all(row["is_validation"] for row in people)


def test_a_broken_mind_is_a_miss_and_the_exit_code_says_so(shell, monkeypatch):
    """Another expert sits in the seats of the Boulware one: it gives in early."""
    monkeypatch.setitem(NEGOTIATE, "boulware", conceder)
    code, out, _ = shell("validate", "manufacturing", *QUICK[:2])
    assert code == 1
    assert re.search(r"round of the agreement +7 +85 +exactly +MISSED", out)
    assert out.endswith("missed: bargaining_boulware_boulware: price agreed, round of the agreement\n")
    code, out, _ = shell("validate", "manufacturing", "--json", *QUICK[:2])
    assert (code, json.loads(out)["missed"]) == (1, 1)


def test_a_mind_that_answers_nonsense_is_a_miss_of_its_case_and_the_others_go_on(shell, monkeypatch):
    monkeypatch.setitem(NEGOTIATE, "boulware", lambda question: {"act": question["round"] * 0 + 9})
    code, out, err = shell("validate", "manufacturing", *QUICK)
    assert (code, err) == (1, "")
    assert "missed: the run failed: mind 'decide'" in " ".join(out.split())
    assert "1 met, 1 missed" in out


def test_a_case_that_this_machine_cannot_carry_is_skipped_in_words(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path / "empty"))
    from ecosim.validate import language

    language.base_model.cache_clear()
    code, out, _ = shell("validate", "minds", "--case", "model_tree_scores")
    assert code == 0
    assert "skipped: needs the model smollm2-135m-instruct, which is not in the cache" in " ".join(out.split())
    assert "fetch it: ecosim models fetch smollm2-135m-instruct" in " ".join(out.split())
    assert out.endswith(": 1 skipped\n")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["nonsense"], "ecosim: validate: unknown part 'nonsense'; known: manufacturing, community, minds\n"),
        (["--case", "music_lap"], "ecosim: validate: unknown case 'music_lap'; did you mean 'music_lab'?\n"),
        (["--case", "zzz"], "ecosim: validate: unknown case 'zzz'; `ecosim validate --list` names them\n"),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(shell, words, fault):
    assert shell("validate", *words) == (2, "", fault)


def test_the_list_names_the_cases_without_running_them(shell):
    code, out, _ = shell("validate", "community", "--list")
    assert code == 0 and re.search(r"music_lab +V3", out)
    assert len(json.loads(shell("validate", "--list", "--json")[1])["cases"]) == len(validate.cases())


def test_from_python_it_is_a_table_with_a_row_a_figure():
    told = []
    table = validate.run("minds", ["generator"], begin=lambda case: told.append(case.name))
    assert told == ["generator"]
    assert table[["case", "figure", "found", "target", "class", "verdict"]].values.tolist() == [
        ["generator", "wrong words, of 12", 0.0, 0.0, "V1", "met"]
    ]


def test_one_missed_figure_makes_the_case_missed():
    (outcome,) = validate.outcomes([a_case(lambda: [exactly("x", 1, 1), within("y", 2, 1, 0.5, "why")])])
    assert outcome.verdict == "missed"
    assert [row["verdict"] for row in rows(outcome)] == ["met", "missed"]


def test_a_case_without_figures_has_one_row_that_says_why():
    def unavailable():
        raise Unavailable("needs a GPU")

    def failing():
        raise DecisionError("mind 'x': nonsense")

    skipped, failed = validate.outcomes([a_case(unavailable), replace(a_case(failing), name="b")])
    (row,) = rows(skipped)
    assert (row["verdict"], row["found"], row["note"]) == ("skipped", None, "needs a GPU")
    assert (failed.verdict, failed.note) == ("missed", "the run failed: mind 'x': nonsense")
