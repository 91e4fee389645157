"""Scripted minds, asked directly with columns made by hand."""

import numpy as np
import pytest

from ecosim.community.experts import bandit_creator, logit_viewer, niche_creator, trend_creator
from ecosim.community.posts import EFFORTS
from ecosim.fields import NOT_ASKED, Choice, Text
from ecosim.words import Question, Table, certain, check

MANY = 20_000


def publish_question(**changed):
    shape = (MANY, 3)
    columns = {
        "views": np.full(MANY, 100),
        "posts": np.full(MANY, 10),
        "pay_per_view": np.full(MANY, 30_000),
        "effort_cost": np.broadcast_to([0, 100_000, 200_000], shape),
        "posts_by_topic": np.broadcast_to([0, 0, 0], shape),
        "views_by_topic": np.broadcast_to([0, 0, 0], shape),
        "trend": np.broadcast_to([1.0, 3.0, 4.0], shape),
        "is_own_niche": np.broadcast_to([True, True, False], shape),
        "topic_name": np.broadcast_to(np.array(["running", "rowing", "jazz"], dtype=object), shape),
        **{name: np.broadcast_to(value, shape) for name, value in changed.items()},
    }
    fields = (
        Choice(name="topic", options=("running", "rowing", "jazz"), allowed=np.ones(shape, bool)),
        Choice(name="effort", options=EFFORTS, allowed=np.ones(shape, bool)),
        Text(name="title", max_tokens=12),
    )
    return asked("ai_creator", "publish", columns, fields)


def react_question(worth, **changed):
    shape = (MANY, len(worth))
    columns = {
        "appeal": np.broadcast_to(np.array(worth), shape),
        "taste": np.zeros(shape),
        "bond": np.zeros(shape),
        "is_followed": np.zeros(shape, bool),
        **{name: np.full(MANY, changed.get(name, 0.0)) for name in ("skip", "like_bar", "follow_bar", "leave_pull")},
    }
    both = np.ones((MANY, 2), bool)
    fields = (
        Choice(name="watch", options=("skip", "watch"), allowed=both),
        Choice(name="pick", options=("1", "2", "3")[: len(worth)], allowed=np.ones(shape, bool), only_if=("watch", 1)),
        Choice(name="like", options=("no", "yes"), allowed=both, only_if=("watch", 1)),
        Choice(name="follow", options=("no", "yes"), allowed=both, only_if=("watch", 1)),
        Choice(name="leave", options=("no", "yes"), allowed=both),
    )
    shown = changed.get("shown", np.ones(shape, bool))
    return asked("viewer", "react", columns, fields, masks={"appeal": shown})


def asked(role, phase, columns, fields, masks=None):
    none = np.full(MANY, -1)
    key = {"replica": np.zeros(MANY, int), "subject": np.arange(MANY), "counterpart": none, "item": none, "round": none}
    return Question(role=role, phase=phase, step=1, key=Table(key), seed=np.ones(MANY, np.uint64), columns=columns,
                    mind=np.zeros(MANY, int), masks=masks or {}, fields=fields)  # fmt: skip


def near(chance):
    """Four standard errors of a share of MANY draws."""
    return pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / MANY))


def test_the_logit_viewer_picks_by_the_exponential_of_worth():
    """Worth 0, ln 2 and skip ln 3: chances 1/6, 2/6, 3/6."""
    answers = logit_viewer(react_question([0.0, np.log(2)], skip=np.log(3)))
    assert (answers["pick"] == 0).mean() == near(1 / 6)
    assert (answers["pick"] == 1).mean() == near(2 / 6)
    assert (answers["watch"] == 0).mean() == near(3 / 6)


def test_the_logit_viewer_likes_follows_and_leaves_by_binary_logits():
    question = react_question([np.log(3)], skip=-50.0, like_bar=0.0, follow_bar=np.log(9), leave_pull=-np.log(4))
    answers = logit_viewer(question)
    assert (answers["like"] == 1).mean() == near(3 / 4)
    assert (answers["follow"] == 1).mean() == near(1 / 4)
    assert (answers["leave"] == 1).mean() == near(1 / 5)


def test_an_empty_slot_is_never_picked_and_an_empty_slate_is_skipped():
    shown = np.ones((MANY, 3), bool)
    shown[:, 1] = False
    shown[: MANY // 2] = False
    question = react_question([5.0, 5.0, 5.0], shown=shown)
    answers = logit_viewer(question)
    assert set(np.unique(answers["pick"][: MANY // 2])) == {NOT_ASKED}
    assert set(np.unique(answers["pick"][MANY // 2 :])) == {NOT_ASKED, 0, 2}
    check(question, certain(answers, MANY), "logit")


def test_the_bandit_posts_what_has_paid_for_it():
    known = publish_question(posts_by_topic=[50, 50, 50], views_by_topic=[50, 5000, 50])
    answers = bandit_creator(known)
    assert (answers["topic"] == 1).all()
    check(known, certain(answers, MANY), "bandit")


def test_the_bandit_tries_what_it_does_not_know():
    answers = bandit_creator(publish_question(posts_by_topic=[50, 0, 0], views_by_topic=[150, 0, 0]))
    shares = np.bincount(answers["topic"], minlength=3) / MANY
    assert (shares > 0.1).all()


def test_effort_is_what_a_third_of_a_posts_income_pays_for():
    """10 views a post at 0.03 EUR are 0.30 EUR: medium at 0.10 fits in a third of it, high at 0.20 does not."""
    assert set(bandit_creator(publish_question())["effort"]) == {EFFORTS.index("medium")}


def test_the_trend_creator_posts_in_proportion_to_recent_views():
    answers = trend_creator(publish_question())
    assert [(answers["topic"] == topic).mean() for topic in range(3)] == [near(1 / 8), near(3 / 8), near(4 / 8)]


def test_the_niche_creator_stays_at_home():
    answers = niche_creator(publish_question())
    assert [(answers["topic"] == topic).mean() for topic in range(3)] == [near(1 / 2), near(1 / 2), 0.0]


def test_titles_name_their_topic():
    answers = niche_creator(publish_question())
    names = np.array(["running", "rowing", "jazz"])[answers["topic"]]
    assert all(name in title for name, title in zip(names, answers["title"], strict=True))


def test_a_row_alone_gets_the_answer_it_gets_among_others():
    question = publish_question()
    some = np.array([17, 3])
    for expert in (bandit_creator, trend_creator, niche_creator):
        whole, part = expert(question), expert(question.take(some))
        assert all((whole[name][some] == part[name]).all() for name in whole)
