"""Models that learn from posts: where posts come from, what corpora hold, what fits keep, and what files may say."""

import numpy as np
import pytest

from ecosim.community.experts import model_creator
from ecosim.community.provenance import true_weights
from ecosim.community.titles import template_parts
from ecosim.errors import ScenarioError
from ecosim.rules import refit

MODELS = {"human_creator.publish": "model", "ai_creator.publish": "model"}


@pytest.fixture
def retrained(community, run):
    """A small community that retrains every two days, run with its events."""

    def simulated(steps=6, **retraining):
        facts = {"every_days": 2, "style_dims": 3, **retraining}
        return run(community(retraining=facts, minds=MODELS, steps=steps, seeds=2), keep_events=True)

    return simulated


def events(finished, name):
    return finished.store.read(f"events/{name}").to_pandas()


# ---- provenance -----------------------------------------------------------------------------------------------------


def test_every_post_says_who_made_it_and_with_which_generation(retrained):
    """Three humans (0, 1, 2) and two AI creators (3, 4); models are new after days 2 and 4."""
    finished = retrained(steps=5)
    found = events(finished, "provenance")
    assert len(found) == 2 * 5 * 5
    assert set(found[found["is_ai"] == 0]["creator"]) == {0, 1, 2}
    assert set(found[found["is_ai"] == 0]["generation"]) == {-1}
    of_ai = found[found["is_ai"] == 1]
    assert of_ai.groupby("step")["generation"].unique().map(list).to_dict() == {1: [0], 2: [0], 3: [1], 4: [1], 5: [2]}


def test_a_parent_is_an_older_post_of_the_corpus_on_the_same_topic(retrained):
    finished = retrained(human_share=0.5, posts=4)
    posts = events(finished, "posts").set_index(["replica", "post"])["topic"]
    corpora = set(map(tuple, events(finished, "corpora")[["replica", "creator", "generation", "post"]].to_numpy()))
    found = events(finished, "provenance")
    children = found[found["parent"] >= 0]
    assert len(children) >= 12
    for row in children.itertuples():
        assert (row.replica, row.creator, row.generation, row.parent) in corpora
        assert posts[row.replica, row.parent] == posts[row.replica, row.post]
    assert (found[(found["generation"] < 1)]["parent"] == -1).all()


# ---- corpora --------------------------------------------------------------------------------------------------------


def makers(finished, step):
    """Creators behind each corpus of a day in replica 0, by whose it is."""
    corpora = events(finished, "corpora")
    mine = corpora[(corpora["step"] == step) & (corpora["replica"] == 0)]
    return {creator: sorted((rows["post"] % 5).tolist()) for creator, rows in mine.groupby("creator")}


@pytest.mark.parametrize(
    ("facts", "step", "expected"),
    [
        ({"of": "own"}, 4, {3: [3, 3], 4: [4, 4]}),
        ({"of": "others"}, 4, {3: [4, 4], 4: [3, 3]}),
        ({"of": "all"}, 4, {3: [3, 3, 4, 4], 4: [3, 3, 4, 4]}),
        ({"of": "own", "keep": "accumulate"}, 6, {3: [3] * 6, 4: [4] * 6}),
        ({"human_share": 1.0, "posts": 6}, 2, {3: [0, 0, 1, 1, 2, 2], 4: [0, 0, 1, 1, 2, 2]}),
    ],
)
def test_a_corpus_is_drawn_from_the_posts_that_the_scenario_says(retrained, facts, step, expected):
    assert makers(retrained(**facts), step) == expected


def test_a_corpus_has_its_human_share_and_no_post_twice(retrained):
    finished = retrained(keep="accumulate", posts=4, human_share=0.25)
    found = events(finished, "generations")
    assert set(zip(found["posts"], found["human_posts"], strict=True)) == {(4, 1)}
    corpora = events(finished, "corpora")
    assert not corpora.duplicated(["replica", "creator", "generation", "post"]).any()


def test_heavier_posts_come_first_as_often_as_they_weigh():
    """One of two is drawn, weights 1 and 3: the second in three of four draws, ± 4 · √(3/16 ÷ 4000)."""
    u = np.random.default_rng(1).random(8000)
    drawn = refit.raced(np.repeat(np.arange(4000), 2), np.ones(4000, np.int64), np.tile([1.0, 3.0], 4000), u)
    assert drawn.reshape(-1, 2).sum(axis=1).tolist() == [1] * 4000
    assert drawn[1::2].mean() == pytest.approx(0.75, abs=0.028)


def test_what_is_watched_more_is_in_more_corpora(retrained, community, run):
    """With views as weights, posts of corpora have more views than posts that stayed out."""
    facts = {"every_days": 2, "keep": "accumulate", "posts": 2, "curated_by": "views"}
    finished = run(community(retraining=facts, minds=MODELS, steps=12, seeds=40), keep_events=True)
    views = events(finished, "reactions").groupby(["replica", "post"])["views"].sum()
    chosen = events(finished, "corpora").groupby(["replica", "post"]).size()
    of_ai = views[views.index.get_level_values("post") % 5 > 2]
    is_in = of_ai.index.isin(chosen.index)
    assert of_ai[is_in].mean() > 1.2 * of_ai[~is_in].mean()


# ---- fits -----------------------------------------------------------------------------------------------------------


def test_a_fit_is_the_counts_and_moments_of_its_corpus(retrained):
    """The AI creators' own posts of the last two days are still in the archive."""
    finished = retrained(of="own")
    creators, archive = finished.world.tables["creators"], finished.world.tables["archive"]
    for row in (3, 4):
        mine = (archive["post"] % 5 == row) & (archive["replica"] == 0)
        style = archive["style"][mine].astype(np.int64)
        assert mine.sum() == 2
        assert creators["topic_weights"][row].tolist() == np.bincount(archive["topic"][mine], minlength=3).tolist()
        assert creators["style_sum"][row].tolist() == style.sum(axis=0).tolist()
        assert creators["style_squares"][row].tolist() == (style**2).sum(axis=0).tolist()
    assert creators["generation"].tolist() == [0, 0, 0, 3, 3] * 2


def test_humans_never_learn(retrained):
    finished = retrained()
    creators = finished.world.tables["creators"]
    assert (creators["topic_weights"][:3] == true_weights(finished.scenario)).all()
    assert (creators["style_squares"][:3] == 10**6).all()


def test_titles_are_told_apart_by_their_templates():
    assert template_parts(["Live: jazz on a budget", "Inside jazz"])[0].tolist() == [11, 3]
    assert template_parts(["Live: jazz on a budget", "Inside jazz"])[1].tolist() == [6, -1]


def test_a_mind_called_model_draws_only_what_its_weights_allow(retrained):
    """After the last fit, every topic of a later post has been in the corpus before."""
    finished = retrained(of="own", steps=8)
    posts, corpora = events(finished, "posts"), events(finished, "corpora")
    topic = posts.set_index(["replica", "post"])["topic"]
    learned = corpora.assign(topic=[topic[key] for key in zip(corpora["replica"], corpora["post"], strict=True)])
    known = set(map(tuple, learned[["replica", "creator", "generation", "topic"]].to_numpy()))
    later = events(finished, "provenance").query("is_ai == 1 and generation > 0")
    assert len(later) == 2 * 2 * 6
    for row in later.itertuples():
        assert (row.replica, row.creator, row.generation, topic[row.replica, row.post]) in known
    assert model_creator.__doc__


def test_traits_are_the_style_where_tastes_are_for_style(community, run):
    facts = {"every_days": 2, "style_dims": 3}
    tastes = {"kind": "dot", "dims": 3, "trait_spread": 0.5}
    posts = run(community(retraining=facts, minds=MODELS, tastes=tastes)).world.tables["posts"]
    assert posts["traits"].tolist() == np.rint(posts["style"] * 0.05).astype(int).tolist()


# ---- figures --------------------------------------------------------------------------------------------------------


def test_figures_of_models_at_the_truth_are_the_truths(retrained):
    """Two niches of like audience, one of two topics: chances ¼, ¼, ½."""
    finished = retrained(steps=1)
    series = {name: values[0, 0] for (name, _), values in finished.series.items()}
    assert series["model_diversity"] == pytest.approx(1 - (1 / 16 + 1 / 16 + 1 / 4))
    assert series["model_entropy"] == pytest.approx(1.5 * np.log(2))
    assert (series["topic_distance"], series["lost_topics"], series["model_generation"]) == (0, 0, 0)
    assert (series["style_variance"], series["style_distance"]) == (1, 0)


def test_own_posts_alone_let_style_and_topics_collapse(retrained):
    """Two posts a generation: variance halves each time, .5^10; a topic is soon all that there is."""
    finished = retrained(of="own", steps=20)
    series = finished.series
    assert series["style_variance", ""][-1].max() < 0.1
    assert series["model_diversity", ""][-1].max() == 0
    assert series["lost_topics", ""][-1].min() >= 1 / 3


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"retraining": {"curated_by": "views"}},
            "curated_by: 'views' needs `posts`: who takes all posts chooses none",
        ),
        (
            {"retraining": {"of": "others"}, "creators": [{"role": "ai_creator", "niche": "music", "count": 1}]},
            "retraining.of: 'others' needs 2 AI creators, got 1",
        ),
        (
            {"retraining": {"human_share": 0.1}, "creators": [{"role": "ai_creator", "niche": "music", "count": 3}]},
            "retraining.human_share: 0.1 needs human creators, there are none",
        ),
        (
            {"retraining": {"style_dims": 3}, "tastes": {"kind": "dot", "dims": 2}},
            "retraining.style_dims: tastes of kind 'dot' are for style; must be tastes.dims, 2, got 3",
        ),
        ({"phases": ["arrive", "publish", "retrain"]}, "phases: 'retrain' does nothing without the key 'retraining'"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(community, changes, fault):
    with pytest.raises(ScenarioError) as error:
        community(**changes)
    assert fault in str(error.value)
