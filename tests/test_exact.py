"""Values against the C library's, and a digest that is the same on every processor."""

import hashlib
import math

import numpy as np
import pytest

from ecosim import exact


def test_exp_and_log_agree_with_the_c_library_to_the_last_bits():
    x = np.random.default_rng(0).uniform(-700, 700, 20_000)
    assert np.max(np.abs(exact.exp(x) / np.exp(x) - 1)) < 5e-16
    y = np.exp(x)
    assert np.max(np.abs(exact.log(y) - x) / np.maximum(np.abs(x), 1)) < 5e-16


def test_their_bits_are_the_same_on_every_machine():
    """The digest was taken under AVX512; `test_laws` repeats it under AVX2."""
    x = np.arange(-2000, 2000) / 128
    assert hashlib.sha256(exact.exp(x).tobytes()).hexdigest()[:16] == GOLDEN_EXP
    assert hashlib.sha256(exact.log(x[x > 0]).tobytes()).hexdigest()[:16] == GOLDEN_LOG


GOLDEN_EXP = "3b0748a71b12a748"
GOLDEN_LOG = "59526e889df56e60"


def test_the_ends_of_the_range():
    assert exact.exp(np.array([-800.0, 0.0, 800.0])).tolist() == [0.0, 1.0, math.inf]
    assert exact.log(np.array([0.0, 1.0, math.inf])).tolist() == [-math.inf, 0.0, math.inf]
    assert np.isnan(exact.log(np.array([-1.0, math.nan]))).all()


def test_powers_of_nothing():
    assert exact.power(np.array([0.0, 0.0, 4.0]), np.array([0.0, 2.0, 0.5])).tolist() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("price_eur", "units", "value_eur"), [(12.5, 3.0, 37.5), (0.01, 250.0, 2.5), (9_000_000.0, 1_000_000.0, 9e12)]
)
def test_a_value_is_price_times_quantity(price_eur, units, value_eur):
    price, quantity = np.array([exact.micro(price_eur)]), np.array([exact.micro(units)])
    assert exact.value(price, quantity).tolist() == [exact.micro(value_eur)]


def test_a_large_table_of_values_comes_out_as_each_value_alone():
    x = np.linspace(-5, 5, 40_000).reshape(8_000, 5)
    assert exact.exp(x)[7_999].tolist() == exact.exp(x[7_999]).tolist()
    assert exact.log(x + 6)[3_333].tolist() == exact.log(x[3_333] + 6).tolist()
