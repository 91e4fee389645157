"""Columns that a layout derives: arithmetic over columns, read and never run."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from ecosim.fields import Bucket
from ecosim.models.nano.derived import Expression, derive
from ecosim.words import Question, Table


def asked(columns, masks=None, fields=()):
    rows = len(next(iter(columns.values())))
    return Question(
        role="baker",
        phase="bake",
        step=1,
        key=Table({n: np.arange(rows) for n in ("replica", "subject", "counterpart", "item", "round")}),
        seed=np.zeros(rows, np.uint64),
        mind=np.zeros(rows, np.int64),
        columns={name: np.array(column) for name, column in columns.items()},
        masks={} if masks is None else {name: np.array(mask) for name, mask in masks.items()},
        units={},
        fields=fields,
    )


def test_what_a_topic_promises_is_worked_out_slot_by_slot():
    question = asked({"views": [[9, 0, 8]], "posts": [[2, 0, 3]], "trend": [[3.0, 5.0, 0.0]], "share": [2]})
    found = derive(question, {"promise": "(views + trend) / (posts + 1)", "part": "share * promise / mean(promise)"})
    assert found["promise"].tolist() == [[4.0, 5.0, 2.0]]
    assert found["part"].round(4).tolist() == [[2.1818, 2.7273, 1.0909]]  # of 11/3 on average
    assert found.masks["part"].all()


def test_what_is_missing_or_divided_by_nothing_is_not_there():
    question = asked({"views": [[6, 7], [1, 2]], "posts": [[3, 0], [0, 0]]}, {"views": [[True, True], [True, False]]})
    found = derive(question, {"each": "views / posts", "all": "sum(views)", "none": "views + nowhere"})
    assert found["each"].tolist() == [[2.0, 0.0], [0.0, 0.0]]
    assert found.masks["each"].tolist() == [[True, False], [False, False]]
    assert found["all"].tolist() == [[13.0], [1.0]]
    assert not found.masks["none"].any()


def test_a_part_that_is_not_there_gives_way_to_another():
    """Of two firms the first keeps to a policy: ten up to a level, of which it has seven; the other owes four."""
    question = asked({"has_policy": [1, 0], "level": [10, 0], "position": [7, 0], "owed": [1, 4]})
    found = derive(question, {"missing": "(level - position) / has_policy or owed", "else": "nowhere or owed"})
    assert found["missing"].tolist() == [[3.0], [4.0]]
    assert found["else"].tolist() == [[1.0], [4.0]]
    assert found.masks["missing"].all()


def test_an_offer_is_placed_between_what_may_be_offered():
    price = Bucket(name="price", low=np.array([10, 10]), high=np.array([20, 10]), step=np.array([1, 1]), unit="EUR/1e6")
    question = asked({"offer": [12, 12]}, fields=(price,))
    found = derive(question, {"place": "(offer - price.low) / (price.high - price.low)", "none": "week.low"})
    assert found["place"].tolist() == [[0.2], [0.0]]
    assert found.masks["place"].tolist() == [[True], [False]]
    assert not found.masks["none"].any()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("__import__('os')", "is not known here"),
        ("views.mean()", "is not known here"),
        ("views ** 2", "is not known here"),
        ("max(views)", "is not known here"),
        ("mean(views + 1)", "is not known here"),
        ("price.real", "is not known here"),
        ("views and posts", "is not known here"),
        ("True + 1", "True is not known here"),
        ("views +", "not an expression"),
        ("1 + " * 80 + "1", "longer than 200 characters"),
    ],
)
def test_anything_but_arithmetic_is_refused(text, fault):
    with pytest.raises(ValidationError, match=fault):
        TypeAdapter(Expression).validate_python(text)
