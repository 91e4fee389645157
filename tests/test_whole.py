"""Lines that Ctrl-C does not cut in two."""

import signal

import pytest

from ecosim.whole import whole


@pytest.fixture
def usual_ctrl_c():
    """Python's own handler, whatever an earlier test of the same process has left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_until_a_whole_is_done(usual_ctrl_c):
    done = []
    with pytest.raises(KeyboardInterrupt), whole():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
