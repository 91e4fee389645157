"""Moderation through the phases: who judges what, what viewers see afterwards, what appeals give back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecosim import catalog
from ecosim.errors import EcosimError, ScenarioError
from ecosim.minds.prompts import Prompts
from ecosim.simulate import Arm

HARM: dict[str, Any] = {"share": 0.4, "spread": 0.5, "coastal_shares": {"music": 1.0}, "report_chance": 1.0}
REMOVE = 3


@pytest.fixture
def moderated(community):
    """The small community with harm in four posts of ten: `moderated(where="device", harm={"share": 0.1})`."""

    def make(steps=6, kept_posts=3, **moderation):
        facts = {**moderation, "harm": {**HARM, **moderation.get("harm", {})}}
        feed = {"kept_posts": kept_posts}
        return community(steps=steps, moderation=facts, feed=feed, viewers={"leave": -50.0})

    return make


@pytest.fixture
def judged(run):
    """A run with moderators and creators who appeal, by name: `judged(scenario, screen="truth", appeal="always")`."""

    def ran(scenario, appeal="scripted", **seats):
        creators = {f"{role}.appeal": appeal for role in ("human_creator", "ai_creator")}
        minds = {f"moderator.{phase}": mind for phase, mind in seats.items()}
        done = run(scenario, Arm(name="all", minds=minds | creators))
        assert not done.manifest["faults"]
        return done

    return ran


def events(done, name):
    if f"events/{name}" not in done.store.names():
        return None
    return done.store.read(f"events/{name}").to_pandas()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(["device", "central", "both"]),
    world_seed=st.integers(1, 1000),
    days=st.integers(1, 3),
    mind=st.sampled_from(["strict", "keywords", "scripted"]),
)
def test_nobody_sees_a_removed_post_until_it_is_given_back(moderated, judged, where, world_seed, days, mind):
    facts = moderated(where=where, appeals={"days": days, "accuracy": 0.7})
    done = judged(facts.with_changes(world_seed=world_seed), screen=mind, review=mind, appeal="always")
    verdicts = events(done, "verdicts")
    removed = verdicts[verdicts.action == REMOVE]
    seen, granted = events(done, "reactions"), events(done, "appeals")
    for _, case in removed.iterrows():
        first = case.step + case.judge  # the device judges before the feeds of the day, the centre after them
        of_post = seen[(seen.replica == case.replica) & (seen.post == case.post) & (seen.step >= first)]
        back = facts.steps + 1
        if granted is not None:
            mine = (granted.replica == case.replica) & (granted.post == case.post) & (granted.is_granted == 1)
            back = min([back, *granted[mine & (granted.step >= case.step)].step])
        assert not (of_post.step <= back).any()


def test_who_knows_the_truth_makes_no_mistakes_and_no_harm_is_seen(moderated, judged):
    harmful = {"harm": {"severe_share": 1.0}}  # severe harm is removed, mild harm only limited
    done = judged(moderated(where="device", oracle=True, **harmful), screen="truth")
    for name, value in {
        "moderation_precision": 1.0, "moderation_recall": 1.0, "moderation_f1": 1.0, "false_positive_rate": 0.0,
        "harmful_views": 0.0, "harm_exposure": 0.0, "days_to_action": 0.0, "views_before_action": 0.0, "appeals": 0.0,
    }.items():  # fmt: skip
        assert (done.kpis[name, ""] == value).all(), name
    assert events(done, "verdicts").harm.min() > 0


def test_the_truth_is_not_shown_unless_the_scenario_says_so(moderated, judged):
    with pytest.raises(EcosimError, match=r"'truth' is shown the truth only with moderation\.oracle: true"):
        judged(moderated(where="device"), screen="truth")


def test_without_moderators_harm_is_planted_and_nothing_done(moderated, judged):
    done = judged(moderated(where="nowhere", steps=20))
    assert events(done, "verdicts") is None and events(done, "appeals") is None
    texts = events(done, "texts")
    assert len(texts) == 20 * 5 * 2
    assert ((texts.harm > 0) == (texts.severity > 0)).all()
    assert abs((texts.harm > 0).mean() - 0.4) < 4 * np.sqrt(0.4 * 0.6 / len(texts)) + 0.05  # spread between creators
    assert (done.kpis["moderation_recall", ""] == 0).all()
    assert np.isnan(done.kpis["moderation_precision", ""]).all()


def test_the_centre_judges_so_many_reported_posts_a_day_after_the_delay(moderated, judged):
    central = {"delay_days": 2, "posts_per_day": 1}
    done = judged(moderated(where="central", central=central, oracle=True), review="truth")
    verdicts = events(done, "verdicts")
    assert verdicts.groupby(["replica", "step"]).size().max() == 1
    assert verdicts.days.min() == 2  # published, watched and reported on one day, judged at the end of the next but one
    assert (verdicts.views > 0).all()
    assert (done.world.tables["moderators"]["judged_central"] <= 6 - 2).all()
    assert (done.kpis["moderation_mflops", "device"] == 0).all()


def test_an_appeal_against_a_mistake_is_granted_and_the_post_comes_back(moderated, judged):
    """Everything is removed and the people who decide appeals never err: what was harmless comes back a day later."""
    facts = moderated(where="device", label_at=-50.0, limit_at=-50.0, remove_at=-50.0, appeals={"accuracy": 1.0})
    done = judged(facts, appeal="always")
    appeals, posts = events(done, "appeals"), done.world.tables["posts"]
    assert ((appeals.harm == 0) == (appeals.is_granted == 1)).all()
    assert len(appeals) == 5 * 5 * 2  # five days whose appeals were decided, five creators, two replicas
    assert (posts["is_open"] == ((posts["harm"] == 0) & (posts["day"] < 6))).all()
    harmless = done.world.tables["creators"]
    today = np.bincount(posts["replica"] * 5 + posts["place"] % 5, (posts["day"] == 6) & (posts["harm"] == 0))
    assert (harmless["strikes"] == harmless["harmful_posts"] + today).all()
    assert (done.kpis["wrongful_removals", ""] == 1.0).all()
    quiet = judged(facts, appeal="never")
    assert events(quiet, "appeals") is None and not quiet.world.tables["posts"]["is_open"].any()


def test_a_limited_post_is_shown_on_the_share_of_days_that_the_scenario_says(moderated, judged):
    bars = {"label_at": -50.0, "limit_at": -50.0, "remove_at": 50.0, "appeals": None}
    never = judged(moderated(where="device", limited_reach=0.0, **bars))
    assert never.series["impressions", ""].sum() == 0
    always = judged(moderated(where="device", limited_reach=1.0, **bars))
    assert (always.series["impressions", ""] > 0).all()


def test_after_a_strike_nothing_of_the_offender_is_shown_where_limited_posts_have_no_reach(moderated, judged):
    facts = moderated(where="device", oracle=True, harm={"severe_share": 1.0}, limited_reach=0.0, limit_after_strikes=1)
    done = judged(facts, screen="truth", appeal="never")
    removed, seen = events(done, "verdicts"), events(done, "reactions")
    first = removed.groupby(["replica", "creator"]).step.min().rename("first")
    later = seen.join(first, on=["replica", "creator"])
    assert len(first) > 2
    assert not (later.step > later["first"]).any()
    assert (later.step <= later["first"]).any()


def test_a_label_takes_from_what_a_post_is_worth_and_nothing_else(moderated, judged):
    bars = {"label_at": -50.0, "limit_at": 50.0, "remove_at": 50.0, "label_appeal": -30.0}
    labelled, usual = (judged(moderated(where=where, **bars)) for where in ("device", "nowhere"))
    assert (labelled.series["impressions", ""] == usual.series["impressions", ""])[0].all()
    assert labelled.series["views", ""].sum() == 0 < usual.series["views", ""].sum()


def test_the_stricter_of_two_moderators_catches_and_accuses_more(moderated, judged):
    facts = moderated(where="device", steps=12)
    strict, lenient = (judged(facts, screen=mind) for mind in ("strict", "lenient"))
    for name in ("moderation_recall", "false_positive_rate"):
        assert (strict.kpis[name, ""] > lenient.kpis[name, ""]).all()
    assert (strict.kpis["false_positive_rate", "coastal"] > strict.kpis["false_positive_rate", "common"]).all()
    assert (strict.kpis["flops_per_post", "device"] > 2 * 10).all()


def test_a_device_that_reads_two_words_of_a_text_cannot_tell_harm_from_none(moderated, judged):
    done = judged(moderated(where="device", device={"max_words": 2}))
    assert (done.kpis["flops_per_post", "device"] <= 2 * 2).all()
    apart = done.kpis["moderation_recall", ""] - done.kpis["false_positive_rate", ""]
    assert (np.abs(apart) < 0.2).all()


def test_bad_facts_are_told_with_place_and_way_out(moderated, community):
    with pytest.raises(ScenarioError, match="label_at, limit_at and remove_at must not fall, got 0, 3 and 2"):
        moderated(limit_at=3.0)
    with pytest.raises(
        ScenarioError, match=r"moderation\.harm\.coastal_shares: unknown niche 'opera'; known: sports, music"
    ):
        moderated(harm={"coastal_shares": {"opera": 0.5}})
    with pytest.raises(ScenarioError, match="phases: 'review' does nothing without the key 'moderation'"):
        community(phases=["arrive", "publish", "recommend", "react", "review", "settle"])


def test_language_minds_are_asked_about_every_post_in_words(moderated, run):
    asked = {}

    def remove(question):
        asked[question.name] = question
        return {"action": np.full(question.num_rows, REMOVE)}

    def appeal(question):
        asked[question.name] = question
        return {"appeal": np.ones(question.num_rows, np.int64)}

    hands_off = {"moderator.screen": "hands_off"}
    run(moderated(), Arm(name="a", minds={**hands_off, "moderator.review": remove, "ai_creator.appeal": appeal}))
    run(moderated(appeals=None), Arm(name="a", minds={"moderator.screen": remove}))
    prompts = {}
    for role, phase in (("moderator", "screen"), ("moderator", "review"), ("ai_creator", "appeal")):
        prompts[phase] = Prompts(catalog.card(role), phase).render(asked[f"{role}.{phase}"])[0][1]
    assert "Its author has made 6 posts; 5 of them were removed.\n" in prompts["screen"]
    assert "It was watched " in prompts["review"] and " reported " in prompts["review"]
    assert "What was done: remove." in prompts["appeal"] and "You know that the post is harm" in prompts["appeal"]


def test_an_intervention_may_make_offenders(moderated, run):
    change = {"step": 3, "table": "creators", "column": "harm_bent", "set": 50.0, "where": {"role": "ai_creator"}}
    facts = moderated()
    usual, bent = (run(facts.with_changes(interventions=some)) for some in ([], [change]))
    texts, before = events(bent, "texts"), events(usual, "texts")
    is_ai = texts.creator >= 3  # three human creators come first
    assert (texts[is_ai & (texts.step >= 3)].harm > 0).all()
    same = ~is_ai | (texts.step < 3)
    assert (texts[same].harm == before[same].harm).all()


@pytest.mark.parametrize(("keeps_posts", "come_back"), [(False, 0), (True, 1)])
def test_what_who_has_quit_had_removed_comes_back_only_where_posts_are_kept(moderated, run, keeps_posts, come_back):
    """All posts are removed on day 1, everybody quits at its end, appeals are granted on day 2."""
    bars = {"label_at": -50.0, "limit_at": -50.0, "remove_at": -50.0, "appeals": {"accuracy": 1.0}}
    facts = moderated(where="device", harm={"share": 1e-9}, steps=2, **bars)
    facts = facts.with_changes(entry={"every_days": 1, "keeps_posts": keeps_posts})

    def quits(question):
        return {"quit": np.ones(question.num_rows, np.int64)}

    done = run(facts, Arm(name="a", minds={f"{role}.quit": quits for role in ("human_creator", "ai_creator")}))
    posts = done.world.tables["posts"]
    assert (events(done, "appeals").is_granted == 1).all()
    assert posts["is_open"].sum() == come_back * 5 * 2  # five creators, two replicas


def test_where_viewers_are_asked_for_reports_theirs_count(moderated, run):
    """Below so high a bar every watched post is reported, so each has as many reports as views."""
    facts = moderated(where="nowhere", harm={"report_chance": 0.0, "false_report_chance": 0.0})
    done = run(facts.with_changes(audience={"report_bar": 49.0}))
    posts = done.world.tables["posts"]
    assert posts["views"].sum() > 50
    assert (posts["reports"] == posts["views"]).all()
    assert (run(facts).world.tables["posts"]["reports"] == 0).all()
