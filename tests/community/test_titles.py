import numpy as np
import pytest

from ecosim.community.side import make_side
from ecosim.community.titles import Compass, word_vectors
from ecosim.errors import ScenarioError


def test_a_title_that_names_its_topic_fits_better():
    compass = Compass(word_vectors, ["jazz guitar", "rowing boats"], dims=64)
    signs = compass.signs(["Jazz guitar, live", "Rowing boats at dawn"])
    on_topic, off_topic = compass.fit(signs, np.array([0, 1])), compass.fit(signs, np.array([1, 0]))
    assert (on_topic > off_topic + 0.3).all()


def test_case_and_marks_do_not_change_a_title_and_no_words_point_nowhere():
    compass = Compass(word_vectors, ["jazz"], dims=16)
    signs = compass.signs(["Jazz!", "jazz", "", "?!"])
    assert (signs[0] == signs[1]).all()
    assert (signs[2:] == 0).all()


def test_a_title_has_the_same_signs_among_other_titles():
    compass = Compass(word_vectors, ["jazz"], dims=32)
    assert (compass.signs(["one", "two", "three"])[1] == compass.signs(["two"])[0]).all()


def test_an_embedder_from_outside_is_used(community, run, monkeypatch):
    read = []

    def embed(texts):
        read.extend(texts)
        return np.array([[len(text), -1, 1] for text in texts], np.float32)

    facts = community(publishing={"title_vectors": "minilm"}, steps=1)
    phases = make_side({"minilm": embed}).phases(facts)
    assert [phase.name for phase in phases] == ["arrive", "publish", "recommend", "react", "settle"]
    assert read == ["running sports", "rowing sports", "jazz music"]


def test_a_missing_embedder_is_named(community):
    with pytest.raises(ScenarioError, match="title_vectors: 'minilm' needs a model that is not at hand here"):
        make_side({}).phases(community(publishing={"title_vectors": "minilm"}))
