"""Titles judged by another encoder than the feed's."""

import numpy as np
import pytest

from ecosim.community.judging import distinct_pairs, mean_cosine
from ecosim.community.titles import letter_vectors, word_vectors
from ecosim.errors import ScenarioError


def cosine(a, b):
    return (a @ b) / np.sqrt((a @ a) * (b @ b))


def test_letters_see_likeness_where_words_see_none():
    """Runner and running share four of their letter triples and no word."""
    runner, running, pottery = letter_vectors(["Runner", "running", "pottery"])
    assert cosine(runner, running) > 0.4 > 0.2 > cosine(runner, pottery)
    words = word_vectors(["Runner", "running"])
    assert abs(cosine(*words)) < 0.4
    assert (letter_vectors(["RUNNER!"])[0] == runner).all()


def test_mean_cosine_of_all_pairs_is_that_of_each_pair():
    rows = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    pairs = [rows[i] @ rows[j] for i in range(4) for j in range(i)]
    assert mean_cosine(rows) == pytest.approx(np.mean(pairs))


def test_titles_that_repeat_have_few_different_pairs_of_words():
    """Ten times «why jazz works»: two different pairs out of twenty."""
    assert distinct_pairs(["Why jazz works"] * 10) == 0.1


def test_who_writes_the_same_title_every_day_is_told_from_who_does_not(community, run):
    def one_title(question):
        return {
            "topic": np.full(question.num_rows, 2),
            "effort": np.zeros(question.num_rows, np.int64),
            "title": np.full(question.num_rows, "jazz", dtype=object),
        }

    from ecosim.simulate import Arm

    arm = Arm(name="all", minds={"ai_creator.publish": one_title})
    finished = run(community(judge="letters", steps=3), arm)
    last = {key: values[-1] for key, values in finished.series.items() if key[0].startswith("title_")}
    assert last["title_similarity", "ai_creator"] == pytest.approx([1, 1])
    assert last["title_quality", "ai_creator"] == pytest.approx([1, 1])
    assert (last["title_similarity", "human_creator"] < 0.8).all()
    kpis = finished.kpis
    assert kpis["title_similarity", "ai_creator"] == pytest.approx([1, 1])


def test_a_judge_changes_no_digest(community, run):
    digests = [run(community(judge=judge)).manifest["digests"] for judge in (None, "letters")]
    assert digests[0] == digests[1]


def test_the_encoder_of_the_feed_cannot_judge(community):
    with pytest.raises(
        ScenarioError, match=r"judge: 'words' ranks the feed \(publishing.title_vectors\); name another"
    ):
        community(judge="words")
