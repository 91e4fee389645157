"""The ODD+D page: the protocol's sections in order, filled from the code; no word of a scenario's is markup."""

import re

import pytest

from ecosim import odd

SECTIONS = [
    "1.1 Purpose and patterns", "1.2 Entities, state variables and scales", "1.3 Process overview and scheduling",
    "2.1 Theoretical and empirical background", "2.2 Individual decision making", "2.3 Learning",
    "2.4 Individual sensing", "2.5 Individual prediction", "2.6 Interaction", "2.7 Collectives", "2.8 Heterogeneity",
    "2.9 Stochasticity", "2.10 Observation and emergence",
    "3.1 Implementation details", "3.2 Initialisation", "3.3 Input data", "3.4 Submodels",
]  # fmt: skip
"""Müller et al. (2013), table 1; 1.1 as in ODD 2020."""


@pytest.fixture(scope="module")
def pages():
    return {name: odd.page(name) for name in ("smart_manufacturing", "beer_game", "creator_community")}


def test_the_sections_are_those_of_the_protocol_and_none_is_empty(pages):
    for page in pages.values():
        assert re.findall(r"^### (.+)$", page, re.MULTILINE) == SECTIONS
        assert not re.search(r"^### .+\n\n#{1,3} ", page, re.MULTILINE)


def test_every_phase_is_a_submodel_with_who_is_asked(pages):
    assert re.findall(r"^#### (\w+)$", pages["beer_game"], re.MULTILINE) == [
        "arrive", "demand", "ship", "charge", "replenish", "order", "produce",
    ]  # fmt: skip
    for page in pages.values():
        phases = re.split(r"^#### ", page, flags=re.MULTILINE)[1:]
        assert all("*Asked*: " in part for part in phases if not part.startswith("Scripted minds"))


def test_rules_and_minds_name_their_sources(pages):
    assert "- Rubinstein (1982)" in pages["smart_manufacturing"]
    assert "- McFadden (1974)" in pages["creator_community"]
    assert "Rubinstein" not in pages["beer_game"]  # nobody negotiates there
    assert "Sterman (1989)" in pages["beer_game"]  # the file says so itself


def test_a_page_is_of_its_own_scenario(pages):
    """Columns, events and figures of subjects that it does not have are not on it."""
    assert not re.search(
        r"`(mind\.(maintain|dispatch|adopt)|oee|adoptions|recalls|forecasters)`", pages["smart_manufacturing"]
    )
    assert "`oee`" in odd.page("maintenance_or_not")


def test_where_chance_enters_is_told(pages):
    where = re.findall(r"^\| (\w+) \| .*world's seed", pages["creator_community"], re.MULTILINE)
    assert where == ["initialisation", "arrive", "publish", "recommend"]


def test_tables_are_whole(pages):
    """Every row of a table has as many cells as its head."""
    for page in pages.values():
        tables = re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE)
        assert len(tables) >= 10
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_what_code_cannot_know_is_left_to_the_modeller_in_words(pages):
    assert pages["smart_manufacturing"].count("*To be written by the modeller: ") == 3
    silent = odd.page("polya_feed", {"about": ""})
    assert "*To be written by the modeller: what this scenario is for; give it `about: …`.*" in silent


def test_a_scenarios_words_are_no_markup():
    page = odd.page("polya_feed", {"title": "<b>bold</b>\n# head", "about": "<script>alert(1)</script>"})
    assert page.startswith("# &lt;b&gt;bold&lt;/b&gt; # head: ODD+D\n")
    assert "<script>" not in page


def test_another_mind_is_another_page():
    page = odd.page("beer_game", minds={"distributor.replenish": "pass_on"})
    assert "`pass_on` (scripted) answers for distributor: Order what was asked for last week" in page
