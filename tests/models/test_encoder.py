import numpy as np
import pytest

from ecosim.models.encoder import SCALE, Encoder

TEXTS = [
    "A video about football",
    "Soccer highlights of the week",
    "Learn algebra in ten minutes",
    "How to draw a cat with three lines and a little patience, step by step, for people who never drew",
    "",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.mark.model
def test_vectors_are_small_integers_of_length_127(encoder):
    vectors = encoder.embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((5, 384), np.float32)
    assert np.array_equal(vectors, np.rint(vectors)) and np.abs(vectors).max() <= SCALE
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(SCALE, rel=0.02)


@pytest.mark.model
def test_a_vector_does_not_depend_on_the_company(encoder):
    together = encoder.embed(TEXTS)
    alone = Encoder()
    for i in (3, 0, 2):
        assert np.array_equal(alone.embed([TEXTS[i]])[0], together[i])


@pytest.mark.model
def test_like_texts_are_nearer_than_unlike_ones(encoder):
    football, soccer, algebra = encoder.embed(TEXTS[:3])
    assert football @ soccer > 0.4 * SCALE**2 > 0.2 * SCALE**2 > football @ algebra


@pytest.mark.model
def test_no_texts_are_no_vectors(encoder):
    assert encoder.embed([]).shape == (0, 384)


@pytest.mark.model
def test_each_different_text_is_read_once():
    encoder = Encoder()
    first = encoder.embed([TEXTS[0], TEXTS[1], TEXTS[0]])
    again = encoder.embed([TEXTS[1], TEXTS[0]])
    assert encoder.num_read == 2
    assert np.array_equal(first[[1, 0]], again)
