"""What is told of a scenario is what the code does: every column has its unit and meaning, every setting its origin."""

import json

import numpy as np
import pytest

from ecosim import api, catalog, docstrings, explain, keys, reading, simulate
from ecosim.arms import Arm
from ecosim.explain.look import look

SCENARIOS = sorted(path.stem for path in (catalog.root() / "scenarios").glob("*.yaml"))


@pytest.fixture(scope="module")
def told():
    return {name: explain.tell(name) for name in SCENARIOS}


def test_every_column_of_every_question_in_the_catalogue_has_unit_and_meaning(told):
    assert len(SCENARIOS) >= 5
    asked = 0
    for name in SCENARIOS:
        facts = simulate.load_scenario(name)
        known = {(c.kind, c.table, c.name): c for c in told[name].columns}
        for (phase, _), question in look(simulate.side(facts.world), facts).questions.items():
            asked += 1
            for column in question.columns:
                found = known["question", phase, column]
                assert found.unit and found.about, f"{name}: {question.name}.{column}"
            for spec in question.fields:
                found = known["answer", phase, spec.name]
                assert found.unit and found.about, f"{name}: {question.name}.{spec.name}"
    assert asked >= 15


def test_what_phases_declare_is_asked_somewhere(told):
    """A column that is gone from the code goes from its declaration."""
    for world in reading.SIDES:
        ours = [t for t in told.values() if t.side.name == world]
        for kind, of in (("question", "sees"), ("answer", "answers")):
            seen = {(c.table, c.name) for t in ours for c in t.columns if c.kind == kind}
            phases = [phase for t in ours for phase in t.side.phases(t.scenario)]
            declared = {(phase.name, name) for phase in phases for name in getattr(phase, of, {})}
            assert declared == seen


def test_every_table_of_the_world_is_declared_column_by_column(told):
    """What a scenario has is declared, and what is declared some scenario of the library has."""
    missing: dict[str, set[tuple[str, str]]] = {}
    for name, found in told.items():
        real = {(c.table, c.name) for c in found.columns if c.kind == "table"}
        asked = {phase.name for phase in found.side.phases(found.scenario)}
        declared = {(t, c) for t, state in found.side.state.items() for c in state.columns}
        assert real <= declared, name
        assert all(c.about for c in found.columns), name
        unasked = {(t, c) for t, c in declared if c.startswith("mind.") and c[5:] not in asked}
        left = declared - unasked - real
        missing[found.side.name] = missing.get(found.side.name, left) & left
    assert missing == {"manufacturing": set(), "community": set()}


SELDOM = {"adopt": {"adoptions"}, "breach": {"spot"}, "settle": {"compensations", "exits"}}
"""What takes other minds, or more luck, than here; tests/manufacturing has each."""


def test_a_phase_writes_the_events_that_it_says(told):
    """Over some weeks, each event table is written by a phase that says so; some scenario has each of them."""
    said: dict[str, set[str]] = {}
    seen: dict[str, set[str]] = {}
    for name in told:
        steps = 8 if told[name].side.name == "community" else 30
        facts = simulate.load_scenario(name).with_changes(seeds=1, steps=steps)
        world, _, _ = simulate.prepare(facts, [Arm(name="all", minds=dict.fromkeys(told[name].side.roles, "scripted"))])
        written: dict[str, set[str]] = {phase.name: set() for phase in world.phases}
        world.record = lambda phase, events, written=written: written[phase].update(events)
        for _ in range(steps):
            world.step()
        for phase in told[name].phases:
            assert written[phase.name] <= set(phase.writes), (name, phase.name)
            said.setdefault(phase.name, set()).update(phase.writes)
            seen.setdefault(phase.name, set()).update(written[phase.name])
    assert {name: said[name] - seen[name] for name in said if said[name] != seen[name]} == SELDOM


def test_a_scenario_is_told_of_its_own_subjects_and_no_others(told):
    """Whatever its phases write and its runs measure is among them; a figure has the definition of its own subject."""
    for name, found in told.items():
        own = found.side.within(found.scenario)
        assert {event for phase in found.phases for event in phase.writes} <= set(own.events), name
    plain, network, paper = (
        {(c.kind, c.name): c.about for c in told[name].columns if c.kind in ("kpi", "event")}
        for name in ("smart_manufacturing", "supply_network", "contract_types")
    )
    assert ("kpi", "oee") not in plain
    assert "do not keep" in paper["kpi", "lost_units"]
    assert network["kpi", "lost_units"] == "demand of consumers that was lost in the whole run"


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_figure_of_a_run_is_told(name, told):
    facts = simulate.load_scenario(name).with_changes(seeds=1, steps=2)
    without = facts.with_changes(publishing={"title_vectors": "words"}) if hasattr(facts, "publishing") else facts
    run = api.run(without, minds=dict.fromkeys(told[name].side.roles, "scripted"))
    for kind, frame in (("metric", run.metrics), ("kpi", run.kpis)):
        assert set(frame["metric"]) <= {c.name for c in told[name].columns if c.kind == kind}


def test_settings_say_where_they_come_from():
    rows = explain.settings("smart_manufacturing", {"lead_time_weeks": 3}).set_index("key")
    assert rows.loc["lead_time_weeks", ["value", "unit", "origin"]].tolist() == [3, "weeks", "--set"]
    assert rows.loc["items.pump.value_eur", ["value", "unit", "origin"]].tolist() == [52.0, "EUR", "file"]
    assert rows.loc["firms.0.make_weeks", ["value", "origin"]].tolist() == [0, "default"]


def test_every_key_of_a_scenario_has_a_meaning():
    left = [reading.side(world).kind for world in reading.SIDES]
    seen = set()
    while left:
        kind = left.pop()
        for key in keys.of(kind).values():
            assert key.about, f"{kind.__name__}.{key.name}: say what it means under Attributes"
            seen.add((kind.__name__, key.name))
            left += [key.group] if key.group and key.group is not kind else []
    assert len(seen) >= 70


def test_a_key_has_the_limits_of_its_type_and_the_unit_of_its_name():
    market, community = (keys.of(reading.side(world).kind) for world in ("manufacturing", "community"))
    assert market["max_order_units"].limits == "at least 1"
    assert market["late_penalty_share"].limits == "0 … 1"
    assert community["ads_eur_per_view"].unit == "EUR/view"
    viewers = keys.of(community["viewers"].group)
    assert viewers["skip"].says() == "appeal of watching nothing (log-odds; -50 … 50)"
    assert community["feed"].group.__name__ == "Feed"


def test_who_is_asked_and_who_answers(told):
    rows = explain.questions("smart_manufacturing", minds={"distributor": ["scripted", "untrained"]}).set_index(
        "question"
    )
    bargain = rows.loc["distributor.negotiate"]
    assert (bargain["members"], bargain["minds"]) == (6, ["scripted", "untrained"])
    assert bargain["grades"] == ["scripted", "untrained"]
    assert bargain["answers"] == ["act", "price", "quantity", "week"]
    assert rows.loc["supplier.negotiate", "minds"] == ["scripted"]
    negotiate = next(phase for phase in told["smart_manufacturing"].phases if phase.name == "negotiate")
    assert [field.shape for field in negotiate.asks[0].answers][::3] == [
        "one of accept, counter, reject",
        "1 … 3 weeks in steps of 1; only if act is counter",
    ]
    assert negotiate.asks[0].minds[0].also == ("mixed",)


def test_a_function_of_ones_own_is_told_by_its_name_and_docstring():
    def patient(question):
        """Waits."""
        return {"quantity": np.zeros(question.num_rows, np.int64)}

    found = explain.tell("beer_game", minds={"distributor.replenish": patient})
    seats = {asked.question: asked.minds[0] for phase in found.phases for asked in phase.asks}
    assert (seats["distributor.replenish"].name, seats["distributor.replenish"].about) == ("patient", "Waits.")


def test_titles_by_the_encoder_are_explained_without_it(monkeypatch):
    """`minilm` needs a model that is fetched; to explain a scenario needs none."""
    monkeypatch.setattr("ecosim.models.encoder.Encoder.__init__", lambda self: pytest.fail("the encoder was loaded"))
    found = explain.tell(
        "creator_community", {"publishing.title_vectors": "minilm", "viewers.count": 50, "viewers.at_start": 50}
    )
    assert {setting.key: setting.value for setting in found.settings}["publishing.title_vectors"] == "minilm"


def test_all_of_it_is_plain_data(told):
    for found in told.values():
        again = json.loads(json.dumps(found.as_dict()))
        assert list(again) == ["world", "title", "about", "step", "settings", "phases", "columns"]


def test_a_docstring_in_its_parts():
    def toss():
        """A coin is tossed,
        once.

        It falls.

        Attributes:
            heads, tails: a side of
                the coin.
            rim: rarely.

        Source: Bernoulli (1713),
        Ars conjectandi.
        """

    found = docstrings.read(toss)
    assert found.paragraphs == ("A coin is tossed, once.", "It falls.")
    assert found.items("Attributes") == {
        "heads": "a side of the coin.",
        "tails": "a side of the coin.",
        "rim": "rarely.",
    }
    assert found.sections["Source"] == "Bernoulli (1713), Ars conjectandi."
    assert docstrings.read(object()).summary == docstrings.read(object).summary


# ---- at the command line --------------------------------------------------------------------------------------------


def test_explain_fits_a_terminal_and_is_plain_where_there_is_none(shell):
    for words in (("creator_community",), ("smart_manufacturing", "--columns")):
        done = shell("explain", *words)
        assert (done.code, done.err) == (0, "")
        assert max(map(len, done.out.splitlines())) <= 80
        assert "\x1b" not in done.out
    assert "offer_price    EUR/1e6" in done.out


def test_explain_in_json_is_one_object(shell):
    done = shell("explain", "beer_game", "--set", "seeds=7", "--mind", "distributor.replenish=pass_on", "--json")
    found = json.loads(done.out)
    assert (done.code, done.err, found["scenario"], found["step"]) == (0, "", "beer_game", "week")
    assert {"key": "seeds", "value": 7, "origin": "--set"}.items() <= found["settings"][4].items()
    seats = {a["question"]: a["minds"][0]["name"] for phase in found["phases"] for a in phase["asks"]}
    assert seats == {"manufacturer.replenish": "scripted", "distributor.replenish": "pass_on"}


def test_a_fault_is_one_line_and_writes_nothing(shell, tmp_path):
    (tmp_path / "there.yaml").write_text("mine")
    for words, fault in (
        (("explain", "beer_gam"), "no scenario 'beer_gam'"),
        (("explain", "beer_game", "--mind", "retailer=scripted"), "unknown role 'retailer'"),
        (("odd", "beer_game", "--out", "there.yaml"), "there.yaml: there is a file of that name already"),
        (("odd", "beer_game", "--out", "no/where.md"), "no/where.md: cannot be written"),
        (("init", "there"), "there.yaml: there is a file of that name already"),
        (("init", "x", "--world", "bazaar"), "unknown world 'bazaar'; known: manufacturing, community"),
        (("init", "x", "--from", "beer_game", "--world", "community"), "is of the world 'manufacturing'"),
        (("init", "no/where"), "no/where.yaml: cannot be written"),
        (("init", ""), ".yaml: is no name for a scenario"),
        (("init", "x" * 300), "cannot be written: File name too long"),
        (("schema", "--world", "bazaar"), "unknown world 'bazaar'"),
    ):
        done = shell(*words)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), words
        assert fault in done.err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("there.yaml", "mine")]


def test_what_steers_a_terminal_is_not_printed(shell):
    done = shell("explain", "beer_game", "--set", 'title="a\\e[31mred\\a"')
    assert (done.code, done.out) == (2, "") and "\x1b" not in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize("world", list(reading.SIDES))
def test_a_scenario_of_init_is_checked_and_runs(shell, tmp_path, world):
    """The two commands that it prints, at once after it."""
    done = shell("init", "mine", "--world", world)
    check, run = done.out.splitlines()[-2:]
    assert (check, run) == ("ecosim check mine.yaml", "ecosim run mine.yaml --seeds 5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ecosim.schema.json", "mine.yaml"]
    assert shell(*check.split()[1:]).code == 0
    assert shell(*run.split()[1:], "--seeds", "1", "--steps", "2", "--no-report").code == 0


def test_odd_prints_what_it_would_write(shell, tmp_path):
    printed = shell("odd", "beer_game").out
    assert shell("odd", "beer_game", "--out", "page.md").out == "page.md\n"
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == printed
    assert json.loads(shell("odd", "beer_game", "--json").out) == {
        "scenario": "beer_game", "page": None, "markdown": printed,
    }  # fmt: skip


def test_levers_and_interventions_are_told_with_units_whom_and_arms(shell, tmp_path):
    levers = shell("explain", "smart_manufacturing", "--columns").out.partition("levers of table firms")[2]
    for words in ("units/week how much a maker can make", "mind.negotiate mind", "where: by member (steelworks_1 …"):
        assert words in levers
    assert "levers of table firms" not in levers  # a table has one list
    text = (catalog.root() / "scenarios" / "beer_game.yaml").read_text(encoding="utf-8")
    change = "{step: 3, table: accounts, column: cash, where: {role: distributor}, add: -5, arms: [shock]}"
    (tmp_path / "mine.yaml").write_text(f"{text}\ninterventions:\n  - {change}\n", encoding="utf-8")
    told = shell("explain", "mine.yaml").out
    assert "week 3, role distributor: accounts.cash, add -5 (arms: shock)" in told
    assert "interventions.0" not in told
