"""Bad files: one line a fault, all faults at once, with file and line, the place, the value and a way out."""

import re
from pathlib import Path

import pytest
import yaml

from ecosim import catalog, simulate
from ecosim.errors import ScenarioError

GOOD = yaml.safe_load(catalog.scenario_path("smart_manufacturing").read_text())


def faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        simulate.load_scenario(file)
    place = re.compile(re.escape(str(file)) + r":\d+: ")
    assert all(place.match(line) for line in caught.value.faults)
    return [place.sub("", line) for line in caught.value.faults]


def changed(**keys):
    return yaml.safe_dump({**GOOD, **keys}, sort_keys=False)


# ruff: noqa: E501 (a message is one line, here too)
@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"sedes": 3}, "sedes: unknown key 'sedes', did you mean 'seeds'?"),
        ({"steps": -3}, "steps: input should be greater than or equal to 1, got -3"),
        ({"steps": "ten"}, "steps: input should be a valid integer, got 'ten'"),
        ({"world": "manufacturin"}, "world: unknown world 'manufacturin', did you mean 'manufacturing'?"),
        ({"minds": {"suplier": "scripted"}}, "minds.suplier: unknown role 'suplier', did you mean 'supplier'?"),
        ({"minds": {"supplier": "untraned"}}, "minds.supplier: unknown mind 'untraned', did you mean 'untrained'?"),
        ({"minds": {"supplier.quote": "scripted"}}, "minds.supplier.quote: supplier is not asked in 'quote'; known: adopt, bargain, dispatch, maintain, negotiate, perform, read, replenish, sign"),
        ({"minds": {"supplier": "boulware"}}, "minds.supplier: 'boulware' answers only supplier.negotiate; write minds.supplier.negotiate: boulware"),
        ({"minds": {"supplier": []}}, "minds.supplier: an empty list; name at least one mind, such as 'scripted'"),
        ({"late_penalty_share": 1.5}, "late_penalty_share: input should be less than or equal to 1, got 1.5"),
        ({"demand": {"kind": "poisson", "mean_units": 900.0}}, "demand: a Poisson mean_units is at most 500 (use kind: normal), got 900.0"),
        ({"phases": ["demand", "quote"]}, "phases: 'quote' and 'negotiate' need each other"),
        ({"first_forecast_units": {"brass": 1}}, "first_forecast_units: unknown item 'brass'; known: steel, resin, pump"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_that_says_what_to_do(tmp_path, keys, fault):
    assert faults(tmp_path, changed(**keys)) == [fault]


def test_all_faults_of_a_file_come_at_once(tmp_path):
    firms = [{**GOOD["firms"][0], "count": -1, "stock": 3}, *GOOD["firms"][1:]]
    found = faults(tmp_path, changed(seeds="x", firms=firms, minds={"distributer": "scripted"}))
    assert found == [
        "seeds: input should be a valid integer, got 'x'",
        "firms[0].count: input should be greater than or equal to 1, got -1",
        "firms[0].stock: unknown key 'stock', did you mean 'stock_units'?",
        "minds.distributer: unknown role 'distributer', did you mean 'distributor'?",
    ]


def test_networks_that_cannot_be(tmp_path):
    items = {**GOOD["items"], "steel": {"make_cost_eur": 4.0, "bom": {"pump": 1}}}
    assert faults(tmp_path, changed(items=items))[:2] == [
        "items.steel.bom: 'steel' would be made of itself",
        "items.pump.bom: 'pump' would be made of itself",
    ]
    no_resin = [firms for firms in GOOD["firms"] if firms["name"] != "resin_plant"]
    assert faults(tmp_path, changed(firms=no_resin)) == ["firms[1] (pump_maker): nobody makes 'resin', which it needs"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- a\n- b\n", "expected keys and values, got a list of 2"),
        ("world: [\n", "not valid YAML: "),
        ("world: manufacturing\nworld: community\n", "world: key 'world' is given twice, first in line 1"),
    ],
)
def test_what_is_no_scenario_at_all(tmp_path, text, fault):
    assert any(line.startswith(fault) for line in faults(tmp_path, text))


def test_overrides_go_to_their_place_or_say_that_there_is_none():
    facts = simulate.load_scenario("smart_manufacturing", {"items.pump.make_cost_eur": 7.5, "firms.0.count": 2})
    assert (facts.items["pump"].make_cost_eur, facts.firms[0].count) == (7.5, 2)
    with pytest.raises(ScenarioError, match=r"--set items\.pmp\.make_cost_eur: there is no 'pmp' to change"):
        simulate.load_scenario("smart_manufacturing", {"items.pmp.make_cost_eur": 7.5})


def test_every_scenario_of_the_catalogue_is_good_and_runs_two_steps():
    names = sorted(path.stem for path in (catalog.root() / "scenarios").glob("*.yaml"))
    assert len(names) >= 5
    from ecosim.record.store import Memory

    for name in names:
        facts = simulate.load_scenario(name).with_changes(seeds=1, steps=2)
        done = simulate.simulate(facts, [simulate.Arm(name="all")], Memory())
        assert (done.manifest["status"], done.manifest["faults"]) == ("done", {})
