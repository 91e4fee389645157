"""The page as a reader meets it: what stands where, and what is said where something is missing."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecosim
from ecosim import simulate
from ecosim.errors import DecisionError
from ecosim.explore import Run
from ecosim.record.store import Memory
from ecosim.report import page
from ecosim.words import Question, Table

SMALL = {"viewers.count": 200, "viewers.at_start": 150}
LIMIT_BYTES = 5_000_000


@pytest.fixture(scope="module")
def market() -> Run:
    return ecosim.run("smart_manufacturing", seeds=3, steps=4)


@pytest.fixture(scope="module")
def market_page(market: Run) -> str:
    return page.html(market)


@pytest.fixture(scope="module")
def compared_page() -> str:
    arms = {"scripted": {}, "soft": {"distributor.negotiate": "conceder"}}
    return page.html(ecosim.compare("smart_manufacturing", arms, seeds=3, steps=4, with_same=True).run)


def tiny(**asked: Any) -> Run:
    """A run that takes a moment, also to draw."""
    return ecosim.run("polya_feed", **({"seeds": 2, "steps": 3} | asked))


def headings(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


def test_a_report_is_a_file_where_one_asks_for_it(tmp_path: Path):
    run = tiny()
    assert run.report(tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_report_asks_nothing_of_the_network(market_page: str):
    html = market_page
    assert len(html.encode()) < LIMIT_BYTES
    assert html.count("<script>") == 1
    assert not re.search(r"<script\s|<link|<img|@import|url\((?!#)|src=|fetch|XMLHttp|import\(", html)
    assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r'href="(?!#)', html)


def test_the_same_run_gives_the_same_bytes():
    run = tiny()
    assert page.html(run) == page.html(run)


def test_the_page_lets_a_browser_run_no_script_but_its_own(market_page: str):
    script = re.search(r"<script>(.*?)</script>", market_page, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in market_page


def test_interventions_are_told_and_marked(market: Run):
    store = Memory()
    for name in market._store.names():
        store.append(name, market._store.read(name))
    store.append("events/interventions", Table({"replica": np.arange(3), "step": np.full(3, 2), "index": np.zeros(3)}))
    store.write_json("manifest.json", market.manifest)
    html = page.html(Run(store))
    assert "Dotted upright lines mark interventions: week 2." in html
    assert "<title>intervention in week 2</title>" in html


def test_ids_do_not_collide(market_page: str):
    ids = re.findall(r' id="([^"]*)"', market_page)
    assert len(ids) > 10
    assert len(set(ids)) == len(ids)


def test_every_theme_of_a_market_has_its_section(market_page: str):
    assert headings(market_page) == [
        "Money and service",
        "Stock and backlog",
        "Orders against demand",
        "Prices and deals",
        "Negotiations",
        "Who supplied whom",
        "Deliveries",
        "Service and turnover",
        "All KPIs",
        "Where time and operations went",
        "Invalid and late answers",
        "Provenance",
    ]
    assert "Lines are means over 3 replicas" in market_page


def test_every_theme_of_a_community_has_its_section():
    run = ecosim.run("creator_community", seeds=2, steps=3, changes=SMALL)
    html = page.html(run)
    assert headings(html)[:7] == [
        "Reach",
        "Who gets the attention",
        "Viewers who stay",
        "Human and AI creators",
        "Income",
        "Posts",
        "Who follows whom",
    ]
    posts, reactions = run.events("posts"), run.events("reactions")
    views = reactions[reactions["replica"] == 0].groupby("post")["views"].sum()
    top = posts[(posts["replica"] == 0) & (posts["post"] == views.idxmax())]["title"].item()
    assert f"<h3>{escape(top)}</h3>" in html


def test_single_replica_pieces_say_which_replica_they_show(market_page: str):
    assert "All contracts of replica 0 (world seed 1)" in market_page
    assert re.search(r"\d+ of \d+ negotiations of replica 0 \(world seed 1\)", market_page)
    assert re.search(r"negotiates with \S+ about \S+ in week \d", market_page)


def test_a_comparison_comes_first_and_owns_up_to_chance(compared_page: str):
    assert headings(compared_page)[0] == "Comparison"
    assert "if no arm differed at all" in compared_page
    assert "The A/A arm “scripted again” has the same minds with other luck" in compared_page
    assert "With 3 pairs an interval is wide" in compared_page


def test_one_pair_of_seeds_gives_no_interval():
    few = simulate.Arm(name="soft", minds={"distributor.negotiate": "conceder"}, num_seeds=1)
    html = page.html(ecosim.compare("smart_manufacturing", {"scripted": {}, "soft": few}, seeds=2, steps=2).run)
    assert "There is one pair of seeds only, so no interval can be given" in html
    assert "“soft” has one seed, so no error bar" in html
    assert "2 + 1 seeds" in html


def test_an_arm_is_told_by_what_differs_from_the_first(compared_page: str):
    assert "As “scripted”, but:" in compared_page
    assert compared_page.count("<li>Supplier: ") == 1
    assert compared_page.count("<li>Distributor: scripted (replenish and quote); conceder (negotiate)") == 1


def test_a_run_without_events_says_what_it_cannot_show():
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=2, steps=3)
    done = simulate.simulate(facts, [simulate.Arm(name="all")], Memory(), simulate.Manner(keep_events=False))
    html = page.html(Run(done.store, None, done.world))
    assert "No negotiation can be shown: this run kept no offers." in html
    assert "No network can be drawn: this run kept no contracts." in html


def test_one_seed_shows_no_band_and_says_so():
    html = page.html(tiny(seeds=1))
    assert "There is one seed, so no error bar" in html
    assert "there is nothing to take a spread from" in html


def test_a_frozen_replica_is_shown_loudly():
    run = tiny()
    run.manifest["faults"] = {"1": "step 2: cash from nothing"}
    html = page.html(run)
    assert "1 of 2 replicas broke a law and were frozen" in html
    assert "step 2: cash from nothing" in html


def test_a_failed_run_is_reported_as_far_as_it_came(tmp_path: Path):
    def tires(question: Question):
        if question.step == 3:
            raise ValueError("tired")
        return ecosim.simulate.side("manufacturing").experts[question.name]["scripted"](question)

    with pytest.raises(DecisionError, match="tired"):
        ecosim.run(
            "smart_manufacturing", seeds=2, steps=4, minds={"distributor.replenish": tires}, out=tmp_path / "run"
        )
    html = page.html(ecosim.load(tmp_path / "run"))
    assert "This run did not reach its end (status: failed)" in html
    assert "it has no KPIs of whole replicas" in html


def test_words_of_scenarios_stay_words():
    words = {"title": "<script>alert(1)</script>", "about": "5 < 6 & $x_1$"}
    html = page.html(tiny(changes=words))
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "5 &lt; 6 &amp; $x_1$" in html


def test_a_users_function_is_named_among_the_minds():
    def bold(question: Question):
        return simulate.side("community").experts[question.name]["scripted"](question)

    html = page.html(tiny(minds={"viewer": bold}))
    assert "<li>Viewer: bold</li>" in html
    assert "<td>bold</td>" in html


@pytest.fixture(scope="module")
def shocked_page() -> str:
    def strike(world: Any) -> None:
        firms = world.tables["firms"]
        firms["capacity"][firms["role"] == 0] //= 2

    shock = [
        {"step": 2, "table": "accounts", "column": "cash", "where": {"role": "distributor"}, "add": -500.0},
        {"step": 3, "message": "Steel is <b>scarce</b>."},
    ]
    facts = {"interventions": [{**one, "arms": ["shock"]} for one in shock]}
    facts["interventions"].append({"step": 3, "table": "firms", "column": "make_weeks", "set": 1.0})
    scenario = simulate.load_scenario("smart_manufacturing", facts)
    arms = [simulate.Arm(name="calm"), simulate.Arm(name="shock", interventions={3: strike})]
    facts = scenario.with_changes(seeds=2, steps=4)
    done = simulate.simulate(facts, arms, Memory())
    return page.html(Run(done.store, None, done.world))


def test_what_was_changed_from_outside_is_told_by_arm(shocked_page: str):
    """Six distributors of 20,000 EUR, with what they earned in week 1, lose 500 EUR each."""
    assert headings(shocked_page)[:2] == ["Changed from outside", "Comparison"]
    told = shocked_page.partition("<h2>Changed from outside</h2>")[2].partition("</section>")[0]
    text = " ".join(re.sub("<[^>]*>", " ", told).split())
    before, after = re.search(r"2 shock Role: distributor accounts.cash add -500 6 (\S+) (\S+) EUR", text).groups()
    assert float(before.replace(",", "")) - float(after.replace(",", "")) == pytest.approx(3000)
    assert "3 shock everybody a message “Steel is &lt;b&gt;scarce&lt;/b&gt;.” 20 – –" in text
    assert "3 calm everybody firms.make_weeks set 1" in text
    assert "3 shock as the function chose" in text and "strike" in text
    assert "3 calm as the function chose" not in text
    assert "As “calm”, with other changes from outside." in shocked_page
    assert "same worlds as “calm”, but for what was changed from outside in some arms only" in shocked_page
