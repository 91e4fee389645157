"""The lean forward of a nano network says what transformers' own says, whatever stands beside a row."""

import pytest
import torch

from ecosim.models.load import set_numerics_environment
from ecosim.models.nano.lean import last_hidden
from ecosim.models.nano.net import Net
from ecosim.models.nano.spec import NanoSpec


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_last_position_is_that_of_the_whole_forward(layers):
    set_numerics_environment()
    fields = {"act": {"options": ["yes", "no"]}}
    card = {"tokens": {name: {name: 1} for name in "abcde"}, "fields": fields}
    spec = NanoSpec.model_validate(
        {"role": "buyer", "hidden": 48, "heads": 4, "layers": layers, "questions": {"buy": card}}
    )
    net = Net(spec, seed=3).eval()
    x = torch.randn(130, 6, 48, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = net.trunk(inputs_embeds=x, use_cache=False).last_hidden_state[:, -1]
        found = last_hidden(net.trunk, x)
        assert (found - whole).abs().max() < 1e-5 * whole.abs().max()
        for size in (2, 7, 64):
            parts = torch.cat([last_hidden(net.trunk, x[i : i + size]) for i in range(0, 130, size)])
            assert torch.equal(parts, found), size
