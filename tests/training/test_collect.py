import numpy as np
import pytest

from ecosim.errors import TrainingError
from ecosim.training.imitation import lessons as files
from ecosim.training.imitation.collect import ByMind, Lesson, Scene, examples, play, together
from ecosim.training.imitation.distil import Spec, teacher_of
from ecosim.training.layouts import layout
from ecosim.words import Decision, Question, certain

GAME = Scene(scenario="beer_game", steps=12)


class Hoarder:
    """Orders forty whatever happens, and is a mind."""

    name, grade, fingerprint = "hoarder", "own", "hoarder"

    def decide(self, question: Question) -> Decision:
        return certain({"quantity": np.full(question.num_rows, 40_000_000)}, question.num_rows)


def spec(role="distributor", **more):
    recipe = {"method": "distil", "questions": {"replenish": {}}, "train": [{"scenario": "beer_game"}], **more}
    return Spec.model_validate(recipe).net(role)


def lessons_of(role="distributor", **how):
    return play(GAME, role, {"replenish": teacher_of("scripted", role, "replenish")}, **how)["replenish"]


def rows_of(lessons):
    return sum(lesson.question.num_rows for lesson in lessons)


def test_a_witness_notes_every_question_of_its_role():
    assert rows_of(lessons_of()) == 3 * 12  # three stages of the chain are distributors, twelve weeks


def test_the_share_that_is_kept_is_a_draw_of_the_row_and_repeats():
    first, again, other = (lessons_of(keep=0.5, turn=turn) for turn in (0, 0, 1))
    assert 8 < rows_of(first) < 28
    weeks = [[lesson.question.step for lesson in found] for found in (first, again, other)]
    assert weeks[0] == weeks[1] != weeks[2]


def test_the_learner_acts_and_the_teacher_goes_on_saying_what_it_would_have_done():
    alone, watched = lessons_of(), lessons_of(learner=Hoarder(), beta=0.0)
    assert watched[-1].question["on_hand"].sum() > 3 * alone[-1].question["on_hand"].sum()
    assert watched[-1].answers["quantity"][0] == 0  # the retailer would not have ordered with such stock


def test_with_beta_one_the_learner_is_not_asked():
    assert [lesson.answers["quantity"].tolist() for lesson in lessons_of(learner=Hoarder(), beta=1.0)] == [
        lesson.answers["quantity"].tolist() for lesson in lessons_of()
    ]


def test_an_order_is_the_position_aimed_at_less_the_position():
    """The order-up-to rule aims at lead time + 1 + 2 weeks of demand: with a lead time of 4 that is 7."""
    lessons = lessons_of()
    target = together([examples(spec(), lesson) for lesson in lessons]).targets["quantity"]
    orders = np.concatenate([lesson.answers["quantity"] for lesson in lessons]) > 0
    assert layout("replenish").fields["quantity"].low == -6
    aimed = -6 + (target[orders] @ np.arange(target.shape[1])) * 0.125
    assert orders.sum() > 20 and np.abs(aimed - 7.0).max() < 0.26  # orders are whole cases


def test_bins_that_come_to_no_order_are_all_right_where_nothing_is_ordered():
    lesson = lessons_of(learner=Hoarder(), beta=0.0)[-1]
    assert examples(spec(), lesson).same["quantity"][0].sum() == 137  # the retailer's stock is beyond all of them


def test_a_teacher_that_weighs_answers_gives_chances():
    lesson = lessons_of()[0]
    rows = lesson.question.num_rows
    far = lesson.answers["quantity"] + 8_000_000
    both = np.stack([lesson.answers["quantity"], far], axis=1), np.full((rows, 2), 0.5)
    found = examples(spec(), Lesson(question=lesson.question, answers=lesson.answers, soft={"quantity": both}))
    assert found.targets["quantity"].sum(axis=1) == pytest.approx(np.ones(rows))
    assert ((found.targets["quantity"] > 0.05).sum(axis=1) >= 2).all()


def test_any_mind_can_teach():
    assert (ByMind(Hoarder()).teach(lessons_of()[0].question).answers["quantity"] == 40_000_000).all()


def test_lessons_come_back_from_their_file(tmp_path):
    found = {"replenish": together([examples(spec(), lesson) for lesson in lessons_of()])}
    files.save(tmp_path / "a.safetensors", spec(), found, {"teacher": "scripted"})
    again, told = files.load(tmp_path / "a.safetensors", spec())
    assert told == {"teacher": "scripted"}
    assert (again["replenish"].encoded.x == found["replenish"].encoded.x).all()
    assert (again["replenish"].targets["quantity"] == found["replenish"].targets["quantity"]).all()


def test_lessons_of_another_role_are_refused_in_one_line(tmp_path):
    files.save(tmp_path / "a.safetensors", spec(), {}, {})
    with pytest.raises(TrainingError, match="lessons of distributor, not of supplier") as refused:
        files.load(tmp_path / "a.safetensors", spec("supplier"))
    assert "\n" not in str(refused.value)


def test_lessons_for_networks_that_read_otherwise_are_refused(tmp_path):
    files.save(tmp_path / "a.safetensors", spec(), {}, {})
    with pytest.raises(TrainingError, match="made for networks that read"):
        files.load(tmp_path / "a.safetensors", spec(questions={"replenish": {"layout": "sign"}}))


def test_a_file_of_something_else_is_no_file_of_lessons(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(TrainingError, match="not a file of lessons"):
        files.load(tmp_path / "a.safetensors", spec())
