"""The audience beyond the plain day: acts, rhythm, fatigue, trust, coming back, and what is measured of it."""

import numpy as np
import pytest

from ecosim.arms import Arm
from ecosim.community.audience import moods
from ecosim.community.audience.figures import polarisation
from ecosim.community.audience.phases import ComeBack
from ecosim.community.facts.audience import Audience, Fatigue, Trust
from ecosim.community.state import layout
from ecosim.errors import ScenarioError
from ecosim.simulate import prepare
from ecosim.words import Table

ACTS = {"watch_bar": 1.0, "share_bar": 1.0, "comment_bar": 0.0, "unfollow_bar": 0.0, "report_bar": 0.0}


def answers(**given):
    """A viewer mind that watches the first post of the slate and does the rest as told."""

    def mind(question):
        rows = question.num_rows
        watch = question.field("watch").allowed[:, 1].astype(np.int64)
        plain = {"like": 0, "follow": 0, "leave": 0, "share_watched": 100, "share": 0, "comment": 0, "unfollow": 0}
        told = {**plain, "report": 0, **given}
        names = [field.name for field in question.fields if field.name not in ("watch", "pick", "leave")]
        found = {name: np.where(watch == 1, told[name], -1) for name in names}
        found["unfollow"] = np.minimum(found["unfollow"], question.field("unfollow").allowed[:, 1])
        return {**found, "watch": watch, "pick": watch - 1, "leave": np.full(rows, told["leave"])}

    return mind


def worlds(community, steps, mind, **changes):
    """The world after each day, of a run whose viewers have this mind."""
    scenario = community(audience={**ACTS, **changes.pop("audience", {})}, **changes)
    world, _, _ = prepare(scenario, [Arm(name="a", minds={"viewer": mind})])
    for _ in range(steps):
        world.step()
        yield world


def test_what_viewers_answer_lies_in_viewings(community):
    mind = answers(share_watched=25, share=1, comment=3, report=1)
    (world,) = worlds(community, 1, mind)
    seen = world.tables["viewings"]
    assert seen.num_rows == 80  # 40 viewers in each of two replicas, each of whom watches
    assert set(seen["share_watched"]) == {0.25}
    assert seen["is_shared"].all() and seen["is_reported"].all() and not seen["is_unfollow"].any()
    assert set(seen["comment"]) == {3}


def test_acts_are_summed_by_post(community, run):
    scenario = community(audience=ACTS, steps=1)
    finished = run(scenario, Arm(name="a", minds={"viewer": answers(share_watched=50, share=1, comment=1)}))
    assert finished.series["shares", ""].tolist() == [[40.0, 40.0]]
    assert finished.series["comments", "praise"].tolist() == [[40.0, 40.0]]
    assert finished.series["comments", "critique"].tolist() == [[0.0, 0.0]]
    assert finished.series["watch_hours", ""][0] == pytest.approx(40 * 0.5 * 60 / 3600)
    assert finished.series["completion", ""][0] == pytest.approx(0.5)


def test_a_follow_can_be_ended_and_counts_stay_those_of_the_sets(community):
    def mind(question):
        follows = question.step == 1
        return answers(follow=int(follows), unfollow=int(not follows))(question)

    counts = []
    for world in worlds(community, 6, mind, viewers={"watch_again": True}):
        viewers, creators = world.tables["viewers"], world.tables["creators"]
        held = np.unpackbits(viewers["follows"], axis=1, bitorder="little")[:, :5].reshape(2, 40, 5).sum(axis=1)
        assert held.ravel().tolist() == creators["followers"].tolist()
        counts.append(int(creators["followers"].sum()))
    assert counts[0] == 80 and counts[-1] < 80
    assert counts == sorted(counts, reverse=True)


def test_who_left_and_unfollowed_on_one_day_is_counted_once(community):
    def mind(question):
        return answers(follow=int(question.step == 1), unfollow=1, leave=int(question.step == 2))(question)

    *_, world = worlds(community, 2, mind, viewers={"watch_again": True})
    assert world.tables["creators"]["followers"].tolist() == [0] * 10


def test_who_has_left_comes_back_after_one_over_the_chance_on_average(community):
    """Absences are geometric: after n days 1 − (1 − p)^n are back; 4,000 viewers, 5 standard errors."""
    audience = {"return_chance": 0.25}

    def mind(question):
        return answers(leave=int(question.step == 1))(question)

    viewers = {"count": 2000}
    there = [
        world.tables["viewers"]["is_active"].mean()
        for world in worlds(community, 4, mind, viewers=viewers, audience=audience)
    ]
    assert there[0] == 0
    for days, share in enumerate(there[1:], start=1):
        expected = 1 - 0.75**days
        assert share == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 4000))


def test_a_returner_follows_nobody_and_is_counted_among_those_who_are_there(community):
    def mind(question):
        return answers(follow=1, leave=int(question.step == 1))(question)

    for world in worlds(community, 2, mind, audience={"return_chance": 0.5}):
        viewers = world.tables["viewers"]
        assert not (viewers["is_active"] & viewers["has_left"]).any()
        if world.steps == 1:
            assert viewers["has_left"].all() and not viewers["follows"].any()
    assert 0 < viewers["is_active"].sum() < 80


def test_heat_of_the_favourite_niche_brings_viewers_back(community):
    scenario = community(audience={"return_chance": 0.5, "return_heat": 1.0})
    world, _, _ = prepare(scenario, [Arm(name="a")])
    world.tables["topics"]["heat"][:] = [1.0, 2.0, 0.0] * 2
    world.tables["viewers"]["favourite"][:2] = [0, 1]
    chances = ComeBack(scenario, layout(scenario))._chances(world, np.array([0, 1]))
    assert chances == pytest.approx([np.exp(1.5) / (1 + np.exp(1.5)), 0.5])


def test_the_week_moves_visits_and_the_spread_makes_viewers_differ(community):
    week = [1, 1, 1, 1, 1, 1, 0]
    audience = {"rhythm": {"week": week, "spread": 1.0}}
    visits = [
        int(world.tables["viewers"]["is_visiting"].sum())
        for world in worlds(community, 8, answers(), viewers={"visit_chance": 0.5}, audience=audience)
    ]
    assert visits[6] == 0 and min(visits[:6] + visits[7:]) > 0
    (world,) = worlds(community, 1, answers(), viewers={"count": 4000, "visit_chance": 0.5}, audience=audience)
    log_odds = np.log(world.tables["viewers"]["visit_chance"] / (1 - world.tables["viewers"]["visit_chance"]))
    assert log_odds.std() == pytest.approx(1.0, abs=0.05)  # 8,000 draws: a standard error of .008


def test_satiation_is_linear_and_wears_off():
    """Leqi et al. (2021): s(t + 1) = γ (s(t) + u(t)); two posts on topic 0 on days 1 and 2, seen from days 2 and 3."""
    viewers = Table({"views": np.array([1])})
    facts = Fatigue(topic=1.0, creator=0.0, persistence=0.5)
    moods.start(Audience(fatigue=facts), viewers)
    row, slate = np.array([0]), np.array([[0, 1]])
    moods.remember(viewers, row, 1, np.array([0]), np.array([7]))
    assert moods.fatigue(facts, viewers, row, 2, slate, slate).tolist() == [[-0.5, 0.0]]
    moods.remember(viewers, row, 2, np.array([0]), np.array([8]))
    assert moods.fatigue(facts, viewers, row, 3, slate, slate).tolist() == [[-(0.25 + 0.5), 0.0]]
    both = Fatigue(topic=1.0, creator=2.0, persistence=0.5)
    assert moods.fatigue(both, viewers, row, 3, np.array([[1]]), np.array([[7]])).tolist() == [[-2.0 * 0.25]]


def test_trust_settles_where_gains_and_losses_balance():
    """With a share b of bad experience: gain (1 − b)(1 − T) = loss b T."""
    facts, bad = Trust(gain=0.02, loss=0.06), np.arange(4000) % 4 == 0
    trust = np.array([500_000], np.int32)
    path = []
    for is_bad in bad:
        trust = moods.moved(trust, facts, np.array([is_bad]))
        path.append(int(trust[0]))
    assert np.mean(path[2000:]) / 1e6 == pytest.approx(0.02 * 0.75 / (0.02 * 0.75 + 0.06 * 0.25), abs=0.02)


def test_posts_that_hold_less_than_their_title_promises_cost_trust(community):
    audience = {"trust_in_platform": {"loss": 0.5}, "trust_in_ai": {"loss": 0.5}}
    noise_free = {"noise": 0.0, "medium": {}, "outside_niche": -3.0}
    (world,) = worlds(community, 1, answers(), audience=audience, publishing=noise_free)
    seen, posts, viewers = world.tables["viewings"], world.tables["posts"], world.tables["viewers"]
    at = seen["replica"] * 10 + seen["place"]
    short = posts["appeal"][at] < 0.3 * posts["title_fit"][at]
    assert seen["is_let_down"].tolist() == short.tolist() and 0 < short.sum() < len(short)
    trust = viewers["trust_in_platform"][seen["replica"] * 40 + seen["viewer"]]
    assert trust.tolist() == np.where(short, 250_000, 525_000).tolist()
    by_ai = seen["creator"] >= 3
    trust = viewers["trust_in_ai"][seen["replica"] * 40 + seen["viewer"]]
    assert trust.tolist() == np.where(~by_ai, 500_000, np.where(short, 250_000, 525_000)).tolist()


def test_lost_trust_in_ai_takes_off_what_is_labelled_and_nothing_else(community):
    asked = []

    def mind(question):
        asked.append(question)
        return answers()(question)

    (world,) = worlds(community, 1, mind, audience={"trust_in_ai": {"weight": 4.0}})
    world.tables["viewers"]["trust_in_ai"][:] = 250_000
    world.step()
    trust, is_ai = asked[1]["trust"], asked[1]["is_ai"]
    assert set(trust[is_ai]) == {-1.0} and set(trust[~is_ai]) == {0.0}


def test_scripted_acts_have_the_chances_of_their_bars(community):
    """At a worth of w: shared with 1/(1 + e^(bar − w)), reported with 1/(1 + e^(w − bar)), praised as in a logit."""
    scenario = community(
        audience=ACTS,
        viewers={"count": 6000, "taste_spread": 0.0, "favourite_bonus": 0.0, "title_appeal": 0.0, "skip": -50.0},
        creators=[{"role": "human_creator", "niche": "sports", "count": 3}],
        publishing={"noise": 0.0, "outside_niche": 0.0},
        trends={"volatility": 0.0},
        seeds=1,
    )
    world, _, _ = prepare(scenario, [Arm(name="a", minds={})])
    world.step()
    seen = world.tables["viewings"]
    assert seen.num_rows == 6000 and set(seen["worth"]) == {0.0}
    chance = {"is_shared": 1 / (1 + np.e), "is_reported": 0.5}
    for name, expected in chance.items():
        assert seen[name].mean() == pytest.approx(expected, abs=5 * 0.5 / np.sqrt(6000))
    for label in range(4):  # none, praise, question, critique: all of weight 1 at a worth of 0 and a bar of 0
        assert (seen["comment"] == label).mean() == pytest.approx(0.25, abs=5 * 0.5 / np.sqrt(6000))
    log_odds = np.log(np.median(seen["share_watched"]) / (1 - np.median(seen["share_watched"])))
    assert log_odds == pytest.approx(-1.0, abs=0.1)


def test_polarisation_is_one_where_each_keeps_to_a_niche_and_none_where_chance_decides():
    assert polarisation(np.array([[5, 0], [0, 5], [7, 0]])) == pytest.approx(1.0)
    draws = np.random.default_rng(1).multinomial(5, [0.5, 0.3, 0.2], size=20_000)
    assert polarisation(draws) == pytest.approx(0.0, abs=0.01)
    assert polarisation(np.array([[1, 0], [0, 1]])) == 0.0  # one view each says nothing


def test_the_feed_misses_nothing_where_it_shows_all(community, run):
    creators = [{"role": "human_creator", "niche": "sports", "count": 3}]
    feed = {"slate": 3, "kept_posts": 1}
    shown = run(community(audience={}, feed=feed, creators=creators))
    assert shown.kpis["missed_utility", ""].tolist() == [0.0, 0.0]
    hidden = run(community(audience={}, feed={**feed, "kept_posts": 3}, creators=creators))
    assert (hidden.kpis["missed_utility", ""] > 0).all()


def test_an_empty_audience_measures_and_changes_nothing(community, run):
    plain, measured = run(community()), run(community(audience={}))
    for name in plain.kpis:
        assert measured.kpis[name].tolist() == plain.kpis[name].tolist()


@pytest.mark.parametrize(
    ("audience", "message"),
    [
        ({"shar_bar": 1.0}, "unknown key 'shar_bar', did you mean 'share_bar'"),
        ({"return_heat": 1.0}, "return_heat moves return_chance, which is 0; give return_chance too"),
        ({"rhythm": {"week": [1.0] * 6}}, "audience.rhythm.week"),
        ({"fatigue": {"persistence": 1.0}}, "audience.fatigue.persistence"),
    ],
)
def test_faults_of_an_audience_are_told(community, audience, message):
    with pytest.raises(ScenarioError, match=message.replace("'", ".")):
        community(audience=audience)
