"""Texts that would break a page if a page let them: they are escaped, cut to a bound, and made visible."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import ecosim
from ecosim import simulate
from ecosim.explore import Run
from ecosim.record.store import Memory
from ecosim.report import page
from ecosim.report.canvas import Drawing
from ecosim.report.source import Source
from ecosim.words import KEY, Table

HOSTILE = "</title></script><img src=x onerror=alert(1)>\"'=HYPERLINK(1)\x00\x1b[31m\u202egnp.exe\ud800"
LIMIT_BYTES = 5_000_000


def titled(*titles: str) -> Run:
    """A community whose record has these titles in turn, as that of another version or a stranger may."""
    small = {"viewers.count": 200, "viewers.at_start": 150}
    facts = simulate.load_scenario("creator_community", small).with_changes(seeds=1, steps=2)
    found = simulate.simulate(facts, [simulate.Arm(name="all")], Memory()).store
    store = Memory()
    for name in found.names():
        table = found.read(name)
        if name == "events/posts":
            told = [titles[i % len(titles)] for i in range(table.num_rows)]
            table = table.set_column(table.column_names.index("title"), "title", pa.array(told))
        store.append(name, table)
    store.write_json("manifest.json", found.read_json("manifest.json"))
    return Run(store)


@pytest.fixture(scope="module")
def run() -> Run:
    return ecosim.run("polya_feed", seeds=2, steps=2)


def changed(run: Run, **facts: object) -> Run:
    """The same run with other facts in its manifest, which a scenario would refuse by now."""
    other = Run(run._store)
    other.scenario = run.scenario
    other.manifest = run.manifest | facts
    return other


def test_nothing_that_a_scenario_or_a_mind_wrote_becomes_markup_or_stays_unseen(run: Run):
    html = page.html(
        changed(
            run,
            scenario=run.manifest["scenario"] | {"title": HOSTILE, "about": HOSTILE},
            arms=[run.manifest["arms"][0] | {"name": HOSTILE[:-1]}],
            faults={"0": HOSTILE},
            minds=[{"name": HOSTILE, "grade": HOSTILE, "fingerprint": HOSTILE}],
        )
    )
    html.encode("utf-8")
    assert "<img" not in html
    assert html.count("</script>") == html.count("<script>") == 1
    assert not {*"\x00\x1b\u202e\ud800"} & {*html}
    assert r"\u0000\u001b[31m\u202egnp.exe" in html


def test_a_title_of_ten_megabytes_is_cut_and_its_length_told(run: Run):
    long = "<b>" * 3_500_000
    html = page.html(changed(run, scenario=run.manifest["scenario"] | {"title": long, "about": long}))
    assert len(html.encode()) < 1_000_000
    assert "… (10,500,000 characters)" in html


def test_titles_of_posts_that_are_endless_or_markup_leave_the_page_whole():
    html = page.html(titled("<b>" * 100_000, HOSTILE[:-1]))
    assert len(html.encode()) < LIMIT_BYTES
    assert "… (300,000 characters)" in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert not re.search("<b><b>|<img", html)
    assert html.rstrip().endswith("</html>")


def test_words_in_a_drawing_are_escaped_and_seen():
    drawing = Drawing(10, 10, HOSTILE)
    drawing.text(0, 0, HOSTILE)
    drawing.dot(0, 0, 1, "x", about=HOSTILE)
    assert "<img" not in drawing.svg()
    assert not {*"\x00\x1b\u202e\ud800"} & {*drawing.svg()}


def test_substitutions_are_counted_and_their_reasons_told(run: Run):
    name = next(iter(run.side.questions))
    key = {column: [0] for column in KEY}
    store = Memory()
    store.append("events/substitutions", Table(_columns({"replica": [0], "step": [2], "question": [0], **key})))
    store.append(
        "ops/substitutions", Table(_columns({"replica": [0], "step": [2], **key}, question=name, reason=HOSTILE[:-1]))
    )
    store.write_json("manifest.json", run.manifest)
    html = page.html(Run(store, None, None))
    assert '<td>answers by the substitute</td>\n<td class="number bad">1</td>' in html
    assert f"<td>{name}</td>" in html
    assert "<img" not in html


def test_a_run_without_trouble_says_so_and_what_was_counted(run: Run):
    assert "none was invalid, late or lost" in page.html(run)


def _columns(numbers: dict[str, list[int]], **texts: str) -> dict[str, object]:
    texts = texts or {"mind": "bad"}
    return {n: np.array(v) for n, v in numbers.items()} | {n: np.array([v], object) for n, v in texts.items()}


def test_frames_are_read_with_the_columns_and_rows_asked_for_only(run: Run):
    posts = Source(run).events("posts", ("post", "creator"), replica=1)
    everything = run.events("posts")
    assert list(posts) == ["post", "creator"]
    pd.testing.assert_frame_equal(
        posts, everything.loc[everything["replica"] == 1, ["post", "creator"]].reset_index(drop=True)
    )
