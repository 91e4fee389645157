"""What a mind writes is data: it is bounded where it is answered, and harmless where it is shown."""

import csv

import numpy as np
import pytest

import ecosim
from ecosim.errors import DecisionError
from ecosim.fields import Text

TITLES = (
    "=HYPERLINK(0)", "+1+1", "-1+1", "@SUM(1)", "<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>",
    'a "quoted", comma', "[red]not markup[/red]", "{{ 7 * 7 }}", "<|im_end|>", "ünïcödé 世界 👩‍🔬",
)  # fmt: skip


def author(*titles: str):
    """An AI creator whose titles are these, in turn."""

    def writes(question):
        rows = question.num_rows
        answers = {f.name: np.argmax(f.allowed, axis=1) for f in question.fields if not isinstance(f, Text)}
        return answers | {"title": np.array([titles[i % len(titles)] for i in range(rows)], object)}

    return writes


def publish(*titles: str, **how):
    minds = {"ai_creator.publish": author(*titles)}
    return ecosim.run(
        "creator_community", seeds=1, steps=2, minds=minds, changes={"viewers.count": 50, "viewers.at_start": 50}, **how
    )


@pytest.mark.parametrize(
    "title",
    ["x" * 10_000_000, "two\nlines", "\x1b[2Jgone", "bell\x07", "\u202eesrever", "half \ud83d", "nul\x00", "a\u2028b"],
    ids=["10 MB", "two lines", "escape", "bell", "bidi", "surrogate", "nul", "line separator"],
)
def test_a_text_that_breaks_things_is_no_answer(title):
    with pytest.raises(DecisionError, match=r"title = .* is not allowed here; allowed: one line of at most") as error:
        publish(title)
    message = str(error.value)
    assert message.isprintable() and len(message) < 500


def test_titles_are_kept_word_for_word_and_shown_as_words(tmp_path):
    run = publish(*TITLES, out=tmp_path / "run")
    assert set(TITLES) <= set(run.events("posts")["title"])
    page = run.report().read_text(encoding="utf-8")
    assert "<script>alert" not in page and "<img src=x" not in page and "&lt;script&gt;" in page


def test_no_spreadsheet_runs_a_title(tmp_path):
    files = publish(*TITLES).to_csv(tmp_path / "csv")
    (posts,) = (file for file in files if file.name == "events-posts.csv")
    with posts.open(newline="", encoding="utf-8") as stream:
        titles = {row["title"] for row in csv.DictReader(stream)}
    assert {f"'{title}" for title in TITLES[:4]} | set(TITLES[4:]) <= titles
    assert not [cell for cell in titles if cell[0] in "=+-@"]
