"""What travels between processes comes out as it went in, in fewer bytes."""

import numpy as np
import pytest

from ecosim import testing
from ecosim.cluster.wire import pack, unpack
from ecosim.minds.host import Answered, Failure, Job
from ecosim.words import certain


@pytest.fixture(scope="module")
def question():
    return max(testing.questions("smart_manufacturing", steps=1, phase="negotiate"), key=lambda q: q.num_rows)


def test_a_job_comes_out_bit_for_bit(question):
    (job,) = unpack(pack([Job(3, question)]))
    assert job.code == 3 and job.question.fields[0].options == question.fields[0].options
    for name, column in question.columns.items():
        found = job.question[name]
        assert found.dtype == column.dtype and found.shape == column.shape and (found == column).all()
    assert (job.question.seed == question.seed).all() and job.question.seed.dtype == np.uint64


@pytest.mark.parametrize(
    "column",
    [
        np.array([-(2**63), 2**63 - 1]),
        np.array([2**64 - 1, 0], np.uint64),
        np.array([np.nan, -0.0, np.inf]),
        np.array([True, False]),
        np.zeros((0, 3), np.int64),
        np.arange(12, dtype=np.int16).reshape(3, 4)[:, ::2],
        np.array(["a", "ß"], object),
    ],
    ids=["int64", "uint64", "floats", "bools", "nothing", "a strided block", "texts"],
)
def test_every_column_keeps_its_type_shape_and_bits(column):
    (found,) = unpack(pack([column]))
    assert found.dtype == column.dtype and found.shape == column.shape
    assert found.tolist() == column.tolist() if column.dtype == object else found.tobytes() == column.tobytes()


def test_a_week_travels_as_one_byte_and_a_constant_as_none():
    weeks, same, wide = np.arange(100) % 52, np.full(100, 10**12), np.arange(100) * 10**12
    lengths = [len(pack(column)) for column in (same, weeks, wide)]
    assert lengths[1] - lengths[0] <= 128 + 64 and lengths[2] - lengths[0] >= 800


def test_much_data_travels_as_an_array_that_columns_are_views_of():
    column = np.random.default_rng(1).random(20_000)
    wire = pack(column)
    found = unpack(wire)
    assert isinstance(wire, np.ndarray) and np.shares_memory(found, wire)
    assert found.tobytes() == column.tobytes()


def test_answers_and_failures_travel_too(question):
    decision = certain({"act": np.arange(4)}, 4)
    good, bad = unpack(pack([Answered(decision, 0.5), Answered(Failure("why", False, "ValueError"), 0.1)]))
    assert good.outcome.answers["act"].tolist() == [0, 1, 2, 3] and np.isinf(good.outcome.margin).all()
    assert bad.outcome == Failure("why", False, "ValueError")
