"""Lines that Ctrl-C does not cut in two."""

import signal

import pytest

from ecosim.whole import whole


def test_ctrl_c_waits_until_a_whole_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), whole():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
