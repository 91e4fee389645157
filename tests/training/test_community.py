"""Nano minds of the community: recipes are whole, and a network learns chances, not yesterday's luck."""

import numpy as np
import pytest

from ecosim.minds.nano import NanoMind
from ecosim.minds.scripted import Experts
from ecosim.models.nano.net import Net
from ecosim.reading import side
from ecosim.training import recipes
from ecosim.training.imitation.chances import teacher
from ecosim.training.imitation.collect import Scene, examples, play, together
from ecosim.training.imitation.distil import teacher_of
from ecosim.training.imitation.marks import marks
from ecosim.training.imitation.pupil import begin, learn
from ecosim.training.schooling import Schooling
from ecosim.words import check

ROLES = ("viewer", "human_creator", "ai_creator")
VISITS = Scene(scenario="creator_community", seeds=3, steps=4, changes={"viewers.count": 400, "viewers.at_start": 400})


@pytest.mark.parametrize("role", ROLES)
def test_a_recipe_teaches_every_question_of_its_role_and_knows_all_that_is_asked(role):
    product = recipes.read(role).products["nano"]
    assert set(product.questions) == set(side("community").roles[role])
    net = product.net(role)
    for phase, taught in product.questions.items():
        assert teacher_of(taught.teacher, role, phase).name in ("scripted", "chances")
        assert net.questions[phase].fields


@pytest.mark.slow
def test_a_network_learns_how_likely_a_viewer_is_to_watch_and_not_what_it_did():
    lessons = play(VISITS, "viewer", {"react": teacher("viewer", "react")})["react"]
    spec = recipes.read("viewer").products["nano"].net("viewer")
    found = [examples(spec, lesson) for lesson in lessons]
    taught, later = together(found[:-1]), together(found[-1:])
    state = begin(Net(spec, 1), Schooling(steps=120, batch=128, warmup=20))
    before = marks(state.net, "react", later)
    learn(state, {"react": taught}, {"react": 1.0}, Schooling(steps=120, batch=128, warmup=20), 1)
    after = marks(state.net, "react", later)
    for name in ("watch", "pick", "like"):
        assert after[f"{name}.kl"] < min(0.03, before[f"{name}.kl"] / 3), name
    question = lessons[-1].question
    decision = NanoMind.of({"viewer": state.net}).decide(question)
    check(question, decision, "nano")
    share = np.exp(decision.logp).mean()
    assert 0 < share < 1  # it draws, and says how likely each draw was


def test_a_creator_of_columns_has_its_title_from_a_template_on_its_own_topic():
    role = "ai_creator"
    spec = recipes.read(role).products["nano"].net(role)
    scene = Scene(scenario="creator_community", steps=1, changes={"viewers.count": 50, "viewers.at_start": 50})
    (lesson,) = play(scene, role, {"publish": teacher(role, "publish")})["publish"]
    writer = Experts("scripted", {"ai_creator.publish": side("community").experts["ai_creator.publish"]["scripted"]})
    decision = NanoMind.of({role: Net(spec, 1)}, writer=writer).decide(lesson.question)
    check(lesson.question, decision, "nano")
    topics = lesson.question["topic_name"][np.arange(lesson.question.num_rows), decision.answers["topic"]]
    assert all(topic in title for topic, title in zip(topics, decision.answers["title"].tolist(), strict=True))
