"""The teacher that says how likely each answer of a scripted mind was."""

import numpy as np
import pytest

from ecosim.errors import CatalogError
from ecosim.fields import NOT_ASKED
from ecosim.training.imitation.chances import best_of_normals, teacher
from ecosim.training.imitation.collect import Scene, play

TIRED = Scene(scenario="tired_viewers", seeds=2, steps=4, changes={"viewers.count": 150})
WORKS = Scene(scenario="collaboration", seeds=4, steps=6, changes={"viewers.count": 50})


def test_the_best_of_some_draws_is_found_as_often_as_by_drawing():
    rng = np.random.default_rng(1)
    mean, spread, least = rng.normal(0, 2, (3, 5)), rng.uniform(0.3, 2, (3, 5)), np.array([-np.inf, 0.0, 3.0])
    drawn = mean[:, :, None] + spread[:, :, None] * rng.normal(size=(3, 5, 100_000))
    is_best = (drawn == drawn.max(axis=1, keepdims=True)) & (drawn > least[:, None, None])
    assert np.abs(best_of_normals(mean, spread, least) - is_best.mean(axis=2)).max() < 0.01


@pytest.mark.parametrize(
    ("scene", "role", "phase", "fields"),
    [
        (TIRED, "viewer", "react", ["watch", "pick", "like", "follow", "leave", "share", "unfollow"]),
        (TIRED, "human_creator", "publish", ["topic"]),
        (WORKS, "ai_creator", "invite", ["invite"]),
    ],
)
def test_what_was_drawn_is_as_likely_as_the_teacher_says(scene, role, phase, fields):
    """The mean log-chance of the answers drawn is minus the entropy of the chances, but for the error of the draws."""
    lessons = play(scene, role, {phase: teacher(role, phase)})[phase]
    assert {*fields} <= {*lessons[0].soft}
    for name in fields:
        surprise = []
        for lesson in lessons:
            _, chances = lesson.soft[name]
            assert chances.sum(axis=1) == pytest.approx(1)
            log = np.log(np.maximum(chances, 1e-12))
            answer = lesson.answers[name]
            rows = np.flatnonzero(answer != NOT_ASKED)
            surprise.append(log[rows, answer[rows]] - (chances * log).sum(axis=1)[rows])
        found = np.concatenate(surprise)
        assert len(found) > 20
        assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found)) + 1e-3, name


def test_what_is_not_drawn_has_another_teacher():
    with pytest.raises(CatalogError, match=r"viewer\.quit: teacher 'chances' knows what is drawn in react, publish"):
        teacher("viewer", "quit")
