"""A function is known by what it does and holds, in any process, whatever files are there."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from ecosim.fingerprint import fingerprint
from ecosim.minds.scripted import Scripted


def order(question, share=1):
    return {"quantity": question["on_hand"] * share}


def made(share):
    return lambda question: order(question, share)


class Buyer:
    def __init__(self, share):
        self.share = share

    def __call__(self, question):
        return order(question, self.share)


MAKERS = [made, lambda k: partial(order, share=k), Buyer, lambda k: Buyer(np.arange(k)).__call__]


@pytest.mark.parametrize("make", MAKERS, ids=["closure", "partial", "object", "method"])
def test_what_a_function_holds_is_part_of_it(make):
    assert fingerprint(make(1)) == fingerprint(make(1)) != fingerprint(make(2))


def test_other_code_is_another_function():
    assert fingerprint(lambda q: q["a"] + 1) != fingerprint(lambda q: q["a"] + 2)
    assert fingerprint(lambda q: q["a"]) != fingerprint(lambda q: q["b"])


def test_a_function_that_refers_to_itself_or_to_nothing_yet_has_one_too():
    def again(question):
        return again(question) or later

    early = fingerprint(again)
    later = 1
    assert early != fingerprint(again) and later


CODE = "print(__import__('ecosim.fingerprint', fromlist=['x']).fingerprint(lambda q: {'x': [i for i in q]}))"


def test_two_processes_without_a_source_agree():
    one, other = (subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True).stdout for _ in range(2))
    assert one == other and len(one.strip()) == 16


def test_a_mind_keeps_its_fingerprint_where_its_source_is_not():
    from ray import cloudpickle

    mind = Scripted("order", order)
    assert cloudpickle.loads(cloudpickle.dumps(mind)).fingerprint == mind.fingerprint
