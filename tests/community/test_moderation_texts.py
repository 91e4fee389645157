"""Texts with planted harm, and the classifiers that look for it."""

import hashlib

import numpy as np
import pytest

from ecosim import catalog
from ecosim.community.moderation import classifier, training
from ecosim.community.moderation.classifier import SCALE, Classifier, Kind, load, words
from ecosim.community.moderation.phrases import KINDS, TRAINING, WORLD
from ecosim.community.moderation.texts import coastal, compose
from ecosim.errors import CatalogError


def phrases(stock):
    harmful = [phrase for severity in (stock.mild, stock.severe) for some in severity.values() for phrase in some]
    return {*stock.plain, *stock.hard, *harmful}


def test_no_phrase_of_a_world_is_one_that_classifiers_were_trained_on():
    assert len(phrases(WORLD)) == 48
    assert phrases(WORLD).isdisjoint(phrases(TRAINING))
    for stock in (WORLD, TRAINING):
        assert set(stock.mild) == set(stock.severe) == set(KINDS[1:])


def test_a_text_is_an_opening_a_phrase_and_an_ending_in_the_creators_spelling():
    topics, none = np.array(["chess", "chess"], dtype=object), np.zeros(2, bool)
    first = np.zeros((2, 3))
    texts = compose(np.array([0, 1]), ~none, none, np.array([False, True]), topics, first)
    assert texts[0] == f"Today it is all about chess. {WORLD.plain[0]} {WORLD.endings[0]}"
    assert texts[1] == coastal(f"Today it is all about chess. {WORLD.severe['scam'][0]} {WORLD.endings[0]}")


def test_a_score_is_the_bias_and_the_weights_of_the_different_words():
    kind = Kind(words, 2**20, "int8")  # so many that "win" and "phone" do not share one
    weights = [0] * kind.num_weights
    for word, weight in (("win", 40), ("phone", 9)):
        weights[kind.buckets(word)[0]] = weight
    made = Classifier(kind, weights, bias=-30)
    texts = np.array(["Win, win a phone!", "A song"], dtype=object)
    assert made.scores(texts).tolist() == [40 + 9 - 30, -30]
    assert made.flops(texts).tolist() == [6, 4]  # two for each different word


def test_the_device_reads_less_and_holds_the_coastal_spelling_against_its_speakers():
    """The figures of agents/moderator/README.md."""
    found = {name: training.score(load(name)) for name in ("device", "central")}
    card = catalog.card("moderator")
    for name, scores in found.items():
        told = card.weights[name].scores
        assert {key: round(value, 3 if key != "flops" else 1) for key, value in scores.items()} == told
        assert card.weights[name].sha256 == classifier.SHA256[name]
    assert found["device"]["f1"] < found["central"]["f1"]
    assert found["device"]["false_positive_rate_coastal"] > 10 * found["device"]["false_positive_rate"]
    assert found["central"]["false_positive_rate_coastal"] < 2 * found["central"]["false_positive_rate"]


def test_the_policy_turns_scores_into_actions_and_reading_costs():
    moderate = classifier.by_score("device")
    scores = load("device").scores(np.array(["hello"], dtype=object)) / SCALE

    class Asked(dict):
        num_rows = 4

    text = np.array(["hello"] * 4, dtype=object)
    gap = np.array([0.5, -0.5, -1.5, -2.5])  # of the lowest bar to the score
    bars = {name: scores[0] + gap + more for more, name in enumerate(("label_at", "limit_at", "remove_at"))}
    assert moderate(Asked(text=text, **bars))["action"].tolist() == [0, 1, 2, 3]
    assert moderate.flops({"text": text}).tolist() == [2] * 4


def test_weights_that_are_not_those_that_were_made_are_refused(monkeypatch, tmp_path):
    folder = tmp_path / "agents" / "moderator"
    folder.mkdir(parents=True)
    monkeypatch.setattr(catalog, "root", lambda: tmp_path)
    with pytest.raises(CatalogError, match=r"device\.safetensors: missing"):
        load.__wrapped__("device")
    (folder / "device.safetensors").write_bytes(b"something else")
    with pytest.raises(CatalogError, match=r"device\.safetensors: SHA-256 is not 17a30008"):
        load.__wrapped__("device")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["device", "central"])
def test_training_makes_the_shipped_weights_anew_to_the_bit(name):
    data = training.packed(training.train(name))
    assert hashlib.sha256(data).hexdigest() == classifier.SHA256[name]
