"""Which talks and posts are shown, and why; tables made by hand."""

from __future__ import annotations

import re

import pandas as pd

import ecosim
from ecosim import simulate
from ecosim.manufacturing.speech import AGREE, heard
from ecosim.manufacturing.state import layout
from ecosim.manufacturing.talks import AGREED, OUTCOMES
from ecosim.report.posts import BY_LOT, END, TOP
from ecosim.report.posts import chosen as chosen_posts
from ecosim.report.talks import KEYS, MAX_TALKS, chosen, with_prices

REJECTED = OUTCOMES.index("rejected")
NONE = pd.MultiIndex.from_arrays([[]] * len(KEYS), names=KEYS)


def talks(*rows: tuple[int, int]) -> pd.DataFrame:
    """Outcome and moves of talks about a pump (item 2), one a week; limits 10 and 6 EUR."""
    frame = pd.DataFrame(rows, columns=["outcome", "moves"])
    frame = frame.assign(replica=0, step=range(1, len(rows) + 1), buyer=15, seller=9, item=2)
    return frame.assign(buyer_limit=10.0, seller_limit=6.0)


def reasons(frame: pd.DataFrame, contracts: pd.DataFrame, spoken: pd.MultiIndex = NONE) -> dict[int, list[str]]:
    net = layout(simulate.load_scenario("smart_manufacturing"))
    return {talk["step"]: why for talk, why in chosen(with_prices(frame, contracts), spoken, net)}


def test_the_ends_of_every_scale_are_shown_with_their_reasons():
    frame = talks((AGREED, 4), (AGREED, 2), (REJECTED, 9))
    contracts = frame[KEYS].head(2).assign(price=[7.0, 9.0])
    found = reasons(frame, contracts)
    assert "the best deal for the buyer" in found[1]
    assert {"the worst deal for the buyer", "the quickest deal"} <= set(found[2])
    assert {"the longest", "ended: rejected"} <= set(found[3])


def test_talks_with_a_language_mind_come_first():
    frame = talks((AGREED, 4), (REJECTED, 9), (AGREED, 3))
    spoken = pd.MultiIndex.from_frame(frame.loc[[1], KEYS])
    found = reasons(frame, pd.DataFrame(), spoken)
    assert next(iter(found)) == 2
    assert "a language model moves in it" in found[2]


def test_talks_shown_are_bounded_and_the_same_each_time():
    frame = talks(*[(AGREED if i % 3 else REJECTED, 2 + i % 11) for i in range(5000)])
    spoken = pd.MultiIndex.from_frame(frame[KEYS])
    found = reasons(frame, pd.DataFrame(), spoken)
    assert 8 <= len(found) <= MAX_TALKS
    assert found == reasons(frame.sample(frac=1, random_state=1), pd.DataFrame(), spoken)


def test_a_gallery_shows_extremes_and_a_lot_and_is_bounded():
    posts = pd.DataFrame({"post": range(1000), "views": range(1000, 0, -1), "follows": 0, "prompt": None})
    posts = posts.assign(impressions=2000, likes=posts["views"] // 2)
    posts.loc[500, "likes"] = posts.loc[500, "views"]
    found = chosen_posts(posts)
    assert found[1][0] == "most watched"
    assert "most likes a view" in found[500]
    assert "shown and passed over" in found[999]
    assert sum("picked by lot" in why for why in found.values()) == BY_LOT
    assert len(found) <= TOP + 3 * END + BY_LOT


def test_where_there_is_speech_a_move_is_a_sentence(tmp_path):
    run = ecosim.run("talking_market", seeds=1, steps=2)
    page = run.report(tmp_path / "report.html").read_text()
    said = re.findall(r'class="act accept">accept</span> ([^<]+)</p>', page)
    assert said and all(heard(text.strip()).act == AGREE for text in said)
    assert "Another firm&#39;s price is" in page
