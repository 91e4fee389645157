"""Writers: what titles are like, whom audiences prefer, what is chosen, and who is refused."""

from dataclasses import replace

import numpy as np
import pytest

from ecosim import catalog, words
from ecosim.errors import CatalogError, TrainingError
from ecosim.fields import Choice
from ecosim.minds.language import LanguageMind
from ecosim.minds.mixed import mixed
from ecosim.pool.engine import Engine
from ecosim.training import recipes
from ecosim.training.adapters.examples import examples
from ecosim.training.making import bench_of
from ecosim.training.writing import writers
from ecosim.training.writing.audiences import (
    FORMS,
    TRAITS,
    Likes,
    Reader,
    Tastes,
    audience,
    distinct,
    distinct_among,
    traits,
)
from ecosim.training.writing.candidates import Candidate, candidates
from ecosim.training.writing.judging import Jury, Titles, judged
from ecosim.training.writing.publishing import Post, platforms, question

PLATFORM = {"music": ["guitar riffs", "film scores"], "sports": ["judo", "rowing"]}
GOOD = ["Why Guitar Riffs Never Get Old", "Five Riffs to Learn This Week", "My Guitar and Its Strangest Riffs"]


def letters(texts):
    """A direction a text: how often each letter is in it; near where the same letters are."""
    counts = np.array([[text.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts], float)
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


READER = Reader("letters", letters, lambda word: word.isalpha() or word.isdigit(), far=0.2, near=0.9)


def seen(title: str, topic: str = "guitar riffs") -> dict[str, float]:
    return dict(zip(TRAITS, traits([title], [topic], "music", [0], READER)[0], strict=True))


def jury(**changed) -> Jury:
    return Jury(likes={"music": Likes()}, tastes=Tastes(**changed), viewers=50, audiences=2, seed=1, reader=READER)


def spec(**changed) -> writers.Spec:
    given = {"method": "writer", "topics": {"music": ["opera"]}, "held_out": {"music": ["choirs"]}}
    return writers.Spec.model_validate({**given, "likes": {"music": {}}, **changed})


@pytest.mark.parametrize(
    ("title", "is_whole"),
    [
        ("Why Guitar Riffs Never Get Old", True),
        ("Can You Play It?", True),
        ("guitar riffs", False),  # a name, not a title
        ("How Guitar Riffs Changed the", False),  # ends in mid-sentence
        ("120 followers, 20.00", False),  # from the prompt
        ("Title: Riffs", False),
        ("Riffs Riffs Riffs", False),
        ('"Riffs for You"', False),
        ("", False),
    ],
)
def test_a_whole_title_begins_and_ends_like_one_and_is_not_the_prompt(title, is_whole):
    assert seen(title)["whole"] == is_whole


def test_the_topics_own_words_say_nothing_more():
    assert seen("Guitar Riffs")["more"] == 0
    assert seen("Guitar Riffs for Beginners")["more"] == 0.25
    assert seen("Four Strange Chords From Old Riffs")["more"] == 1


def test_forms_are_told_apart():
    found = {title: [name for name in FORMS if seen(title)[name]] for title in [*GOOD, "Riffs Without Fear"]}
    assert list(found.values()) == [["asks", "contrasts"], ["counts"], ["tells"], ["contrasts"]]


def test_a_title_is_new_only_where_nobody_said_it_that_day():
    titles, topics = ["Riffs Today", "Riffs Today", "Quiet Sunday Morning"], ["guitar riffs"] * 3
    together = traits(titles, topics, "music", [0, 0, 0], READER)[:, TRAITS.index("novel")]
    apart = traits(titles, topics, "music", [0, 1, 2], READER)[:, TRAITS.index("novel")]
    assert together[:2].tolist() == [0, 0] and together[2] > 0 and apart.tolist() == [1, 1, 1]


def test_distinct_counts_runs_of_words_that_differ():
    assert distinct(["a b", "a c"], 1) == 0.75
    assert distinct(["a b c", "a b d"], 2) == 0.75
    assert distinct(["a", "a"], 2) == 0.5


def test_distinct_among_equal_numbers_of_words_is_fair_to_longer_titles():
    """Two of the words a b a c: they differ in five of the six pairs, so 11/12 of two words on average."""
    assert distinct_among(["a b", "a c"], 1, 2) == pytest.approx(11 / 12)
    assert distinct_among(["a b", "a c"], 1, 4) == distinct(["a b", "a c"], 1)


def test_audiences_are_drawn_from_their_seed_around_what_the_recipe_says():
    one, same, other = (audience(Likes(words=6), Tastes(), 4000, seed, 0) for seed in (1, 1, 2))
    assert np.array_equal(one.weights, same.weights) and not np.array_equal(one.weights, other.weights)
    assert np.median(one.weights[:, TRAITS.index("fit")]) == pytest.approx(Tastes().fit, rel=0.05)
    assert one.words.mean() == pytest.approx(6, abs=0.1)
    assert not one.weights[:, TRAITS.index("asks")].any()  # nobody said that this niche likes questions


def test_viewers_take_one_of_two_titles_by_a_logit():
    """Luce: with worths w and v the first is taken with chance 1 / (1 + exp(v − w))."""
    people = replace(audience(Likes(), Tastes(), 1, 1, 0), weights=np.ones((1, len(TRAITS))), length=np.zeros(1))
    worth = people.worth(np.array([[1.0] * 9, [0.0] * 9]), np.array([7, 7]))
    assert worth[:, 0].tolist() == [9, 0]
    assert people.preferred(worth[:1] / 9 * np.log(3), worth[1:])[0] == pytest.approx(0.75)


def test_judges_take_titles_over_names_and_neither_of_two_that_are_one():
    posts = [Post("music", "guitar riffs", 1, i) for i in range(3)]
    names = ["guitar riffs"] * 3
    by = {"writer": GOOD, "untrained": names, "writer of music": GOOD}
    figures = judged(Titles(posts, by), jury())
    assert figures["preferred"] == figures["preferred_music"] == 1.0
    assert figures["distinct_2_writer"] > figures["distinct_2_untrained"]
    assert judged(Titles(posts, {**by, "untrained": GOOD}), jury())["preferred"] == 0.5
    assert judged(Titles(posts, {**by, "writer": names, "untrained": GOOD}), jury())["preferred"] == 0.0


def test_choosing_takes_good_lines_and_does_not_take_one_phrase_again_and_again():
    people = audience(Likes(), Tastes(), 50, 1, 0)
    lines = [
        "Why We Love Opera",
        "Why We Love Opera Now",
        "Why We Love Opera Again",
        "Inside an Old Opera House",
        "opera",
    ]
    written = [Candidate("opera", title, True) for title in lines] + [
        Candidate("opera", "Why We Love the Opera", False)
    ]
    kept = writers.chosen(written, "music", people, READER, spec(per_topic=2, repeat=2.0))
    assert len(kept) == 2 and "Inside an Old Opera House" in [one.title for one in kept]
    every = writers.chosen(written, "music", people, READER, spec(per_topic=9))
    assert {one.title for one in every} == set(lines[:4])  # neither what was cut off nor a mere name


def test_questions_are_those_of_the_community_with_topic_and_effort_settled(tiny):
    posts = [Post("music", "film scores", 3, 0), Post("sports", "judo", 3, 1)]
    asked = question(PLATFORM, posts, seed=1)
    topic = asked.fields[0]
    assert isinstance(topic, Choice)
    assert [topic.options[i] for i in topic.allowed.argmax(axis=1)] == ["film scores", "judo"]
    assert (topic.allowed.sum(axis=1) == 1).all()
    mind = LanguageMind({"ai_creator": catalog.card("ai_creator")}, Engine(tiny), name="tiny", grade="untrained")
    decision = mind.decide(asked)
    words.check(asked, decision, "tiny")
    prompt = decision.trace["prompt"].tolist()[2]
    assert prompt.endswith("Topic: film scores\nEffort: low\nTitle:")


def test_lessons_end_where_the_title_does(tiny):
    mind = LanguageMind({"ai_creator": catalog.card("ai_creator")}, Engine(tiny), name="tiny", grade="untrained")
    asked = question(PLATFORM, [Post("music", "film scores", 3, 0)], seed=1)
    answers = {"topic": np.array([1]), "effort": np.array([0]), "title": np.array(["Why Not"], object)}
    (lesson,) = examples(mind, asked, answers, fields=["title"])
    taught = [target.tokens[0] for target in lesson.targets]
    assert mind.engine.language.tokenizer.decode(taught) == " Why Not\n"


def test_candidates_begin_as_they_were_begun_and_come_again(tiny):
    first, again = (candidates(Engine(tiny), ["opera"], draws=1, temperature=0.7, seed=1) for _ in range(2))
    assert first == again and len(first) > 20
    assert all(one.topic == "opera" for one in first)
    assert {one.title.split()[0].strip(":,") for one in first} >= {"Why", "How", "Opera", "My"}


def test_from_what_was_chosen_to_titles_of_every_writer(tiny_folder, tmp_path):
    lora = {"base": f"path:{tiny_folder}", "rank": 2, "epochs": 1.0, "batch": 4}
    some = {"music": ["opera", "choirs"], "sports": ["judo", "rowing"]}
    held = {"music": ["drums"], "sports": ["chess"]}
    recipe = spec(
        topics=some, held_out=held, likes={"music": {}, "sports": {}}, per_topic=4, days=1, creators=2, lora=lora
    )
    bench = bench_of(recipes.read("ai_creator"), "writer", tmp_path)
    for niche, topics in some.items():
        kept = [Candidate(topic, f"Why {topic} {i}", True) for i in range(4) for topic in topics]
        writers._save(bench.data / f"chosen-{niche}.json", kept)
    writers.train(recipe, bench, 1)
    assert (bench.seed_folder(1) / "loss.png").is_file()
    titles = writers._write_all(recipe, bench, 1)
    assert len(titles.posts) == 2 * 4 * 2 == len(titles.by["untrained"])  # a topic fills the four places of a platform
    assert {name for name in titles.by} == {"untrained", "writer", "writer of music", "writer of sports"}
    rows = titles.of("music")
    assert [titles.by["writer"][i] for i in rows] == [titles.by["writer of music"][i] for i in rows]
    assert all(all(some) for some in titles.by.values())


def test_every_topic_is_on_some_platform():
    topics = {"music": ["a", "b", "c", "d", "e"], "sports": ["f", "g"]}
    found = platforms(topics, 2, seed=1)
    assert len(found) == 3 and all(len(some) == 2 for one in found for some in one.values())
    assert {t for one in found for t in one["music"]} == set(topics["music"])


def test_a_recipe_that_judges_by_what_it_taught_is_refused(tmp_path):
    bench = bench_of(recipes.read("ai_creator"), "writer", tmp_path)
    with pytest.raises(TrainingError, match="held_out: 'opera' is among the topics that are learnt from"):
        writers.data(spec(held_out={"music": ["opera"]}), bench)
    with pytest.raises(TrainingError, match="likes: niches are sports; topics have music"):
        writers.train(spec(likes={"sports": {}}), bench, 1)
    with pytest.raises(TrainingError, match="not there; make the data first"):
        writers._read(bench.data / "chosen-music.json")


def test_the_shipped_recipe_holds_out_the_librarys_topics():
    found = recipes.read("ai_creator").products["writer"]
    library = {"algebra tricks", "street football", "guitar riffs", "logo redesign"}
    assert library <= {topic for some in found.held_out.values() for topic in some}
    assert not library & {topic for some in found.topics.values() for topic in some}
    assert found.lora.rank == 4


def test_the_shipped_writers_are_those_of_the_card():
    card = catalog.card("ai_creator")
    recipe = mixed(card, "writer", None)
    assert sorted(recipe.adapters) == ["education", "graphic_design", "music", "sports"]
    assert recipe.by == "niche_name" and card.weights["writer"].answers == ["publish"]
    wrong = card.weights["writer"].mixed.model_copy(update={"sha256": dict.fromkeys(recipe.adapters, "0" * 64)})
    weights = card.weights["writer"].model_copy(update={"mixed": wrong})
    with pytest.raises(CatalogError, match=r"the card says 000000000000….*ecosim models train ai_creator/writer"):
        mixed(card.model_copy(update={"weights": {"writer": weights}}), "writer", None)
