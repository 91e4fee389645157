"""JSON Schema for editors, and the commented scenario that `init` writes."""

import json
import re

import jsonschema
import pytest
import yaml

from ecosim import catalog, keys, reading, schema, starter
from ecosim.errors import ScenarioError

SCENARIOS = sorted((catalog.root() / "scenarios").glob("*.yaml"))
CHECK = jsonschema.Draft202012Validator(schema.schema())


def facts(name="beer_game"):
    return yaml.safe_load((catalog.root() / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8"))


def test_the_schema_is_one():
    for world in (None, *reading.SIDES):
        jsonschema.Draft202012Validator.check_schema(schema.schema(world))


def test_every_scenario_of_the_catalogue_fits():
    assert len(SCENARIOS) >= 5
    for path in SCENARIOS:
        CHECK.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {"demnd": {"kind": "step", "mean_units": 4}},
        {"world": "manufacture"},
        {"steps": 0},
        {"steps": "3"},
        {"demand": {"kind": "step", "mean_units": 4, "stp_week": 5}},
        {"minds": {"distributer": "scripted"}},
        {"minds": {"distributor.replenish": 3}},
    ],
)
def test_what_is_misspelt_or_of_the_wrong_type_does_not(change):
    assert not CHECK.is_valid({**facts(), **change})


@pytest.mark.parametrize("minds", ["pass_on", ["pass_on", "order_up_to"], "mine"])
def test_a_mind_may_be_one_word_or_several(minds):
    CHECK.validate({**facts(), "minds": {"distributor.replenish": minds}})


def test_an_ecosystem_has_a_schema_of_its_own():
    only = jsonschema.Draft202012Validator(schema.schema("community"))
    assert only.is_valid(facts("polya_feed"))
    assert not only.is_valid(facts())
    with pytest.raises(ScenarioError, match="unknown world 'bazaar'; known: manufacturing, community"):
        schema.schema("bazaar")


def test_every_key_tells_what_it_means():
    nodes = schema.schema()["$defs"]
    told = [place for node in nodes.values() for place in node.get("properties", {}).values()]
    assert len(told) >= 80
    assert all(place.get("description") for place in told)
    assert nodes["Viewers"]["properties"]["skip"]["x-unit"] == "log-odds"


# ---- a scenario to start from ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [path.stem for path in SCENARIOS])
def test_a_scenario_written_anew_says_the_same(name, tmp_path):
    path, _ = starter.write(tmp_path / "my_own.yaml", source=name)
    told = {"title", "about"}
    again, begun = reading.load_scenario(path), reading.load_scenario(name)
    assert again.model_dump(exclude=told) == begun.model_dump(exclude=told)
    assert (again.title, again.about.strip()) == ("My own", begun.about.strip())
    CHECK.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def absent(kind) -> set[str]:
    """Keys of groups that are not there unless somebody writes them: a file shows an example."""
    groups = [(key, key.group) for key in keys.of(kind).values() if key.group is not None]
    return {key.name for key, _ in groups if not key.is_required and not key.default} | {
        name for _, group in groups for name in absent(group)
    }


@pytest.mark.parametrize("world", list(reading.SIDES))
def test_defaults_behind_a_hash_are_the_defaults(world, tmp_path):
    """With every # before a key taken away, the file still says the same."""
    path, _ = starter.write(tmp_path / "bare.yaml", world)
    text = path.read_text(encoding="utf-8")
    for name in absent(reading.side(world).kind):
        text = re.sub(rf"^( *)#{name}:.*\n(?:\1#  .*\n)*", "", text, flags=re.MULTILINE)
    bare, num = re.subn(r"^( *)#(?=[ \w])(?! [^ ])", r"\1", text, flags=re.MULTILINE)
    assert num >= 8
    again = reading.load_scenario(path).model_dump(exclude={"minds"})
    path.write_text(bare, encoding="utf-8")
    bared = reading.load_scenario(path)
    assert bared.model_dump(exclude={"minds"}) == again
    assert set(bared.minds.values().__iter__().__next__()) == {"scripted"}


def test_the_schema_beside_is_renewed_but_a_file_of_others_is_left_alone(tmp_path):
    _, beside = starter.write(tmp_path / "one.yaml")
    beside.write_text(json.dumps({"$id": "urn:ecosim:scenario", "old": True}))
    starter.write(tmp_path / "two.yaml")
    assert "old" not in json.loads(beside.read_text(encoding="utf-8"))
    beside.write_text("{}")
    with pytest.raises(ScenarioError, match=r"ecosim\.schema\.json: is in the way"):
        starter.write(tmp_path / "three.yaml")
    assert not (tmp_path / "three.yaml").exists()


@pytest.mark.parametrize("whom", ["distributor", 3, ["distributor", 3]])
def test_an_intervention_names_one_or_several(whom):
    """As the loader takes them: a name, a number, or a list of these."""
    cut = {"step": 2, "table": "firms", "column": "make_weeks", "where": {"role": whom}, "set": 1}
    CHECK.validate({**facts(), "interventions": [cut]})
    assert not CHECK.is_valid({**facts(), "interventions": [{**cut, "where": {"role": 0.5}}]})


@pytest.mark.parametrize("world", list(reading.SIDES))
def test_the_interventions_that_a_new_scenario_shows_are_taken(world, tmp_path):
    made, _ = starter.write(tmp_path / "mine.yaml", world)
    text = made.read_text(encoding="utf-8").replace("#interventions: []", "interventions:").replace("# - {", "- {")
    made.write_text(text, encoding="utf-8")
    found = reading.load_scenario(made)
    CHECK.validate(yaml.safe_load(text))
    assert [bool(item.message) for item in found.interventions] == [False, False, True]
    assert found.interventions[1].column.startswith("mind.")
