import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecosim.errors import CatalogError
from ecosim.models.adapter import CONFIG, WEIGHTS, fit, linear_sizes, read, write_random
from ecosim.wheels import sha256_of

Q = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.fixture
def folder(tiny, tmp_path):
    return write_random(tmp_path / "adapter", tiny.model, seed=1, rank=4, alpha=8)


def change(folder, **settings):
    path = folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def change_tensors(folder, **tensors):
    kept = {name: t for name, t in (load_file(folder / WEIGHTS) | tensors).items() if t is not None}
    save_file(kept, folder / WEIGHTS)


def test_an_adapter_is_what_was_written(tiny, folder):
    adapter = read(folder)
    assert (adapter.rank, adapter.scaling, adapter.sha256) == (4, 2.0, sha256_of(folder / WEIGHTS))
    assert adapter.layers.keys() == linear_sizes(tiny.model).keys() and len(adapter.layers) == 2 * 7
    a, b = adapter.layers["model.layers.0.self_attn.k_proj"]
    assert (a.shape, b.shape) == ((4, 64), (32, 4))
    sides = [64 + 64, 64 + 32, 64 + 32, 64 + 64, 64 + 128, 64 + 128, 128 + 64]  # in + out of q k v o gate up down
    assert adapter.num_parameters == 2 * 4 * sum(sides)
    fit(adapter, tiny.model)


def test_the_same_seed_writes_the_same_adapter(tiny, folder, tmp_path):
    again, other = (write_random(tmp_path / str(s), tiny.model, seed=s, rank=4, alpha=8) for s in (1, 2))
    assert read(again).fingerprint == read(folder).fingerprint != read(other).fingerprint


def test_the_scaling_is_part_of_the_fingerprint_and_may_be_stabilised_by_rank(folder):
    before = read(folder)
    change(folder, use_rslora=True)
    after = read(folder)
    assert (after.scaling, after.sha256) == (8 / 4**0.5, before.sha256)
    assert after.fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3', expected 'LORA'"),
        ({"use_dora": True}, "use_dora is True, expected none"),
        ({"bias": "all"}, "bias is 'all', expected 'none'"),
        ({"modules_to_save": ["lm_head"]}, r"modules_to_save is \['lm_head'\], expected none"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern is"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa', which changes the base model"),
        ({"r": 0}, "r is 0, expected a number above 0"),
        ({"r": 2}, r"A is \(4, 128\) and B is \(64, 4\), expected \(2, in\) and \(out, 2\): r is 2"),
    ],
)
def test_what_we_cannot_apply_is_refused_in_one_line(folder, settings, fault):
    change(folder, **settings)
    with pytest.raises(CatalogError, match=fault) as error:
        read(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("tensors", "fault"),
    [
        ({f"{Q}.lora_magnitude_vector": torch.ones(64)}, "lora_magnitude_vector: not the A or B of a linear layer"),
        ({f"{Q}.lora_B.weight": None}, "q_proj: has only lora_A; A and B belong together"),
        ({f"{Q}.lora_A.weight": torch.full((4, 64), torch.nan)}, "q_proj: holds numbers that are not finite"),
    ],
)
def test_tensors_that_are_not_plain_lora_are_refused(folder, tensors, fault):
    change_tensors(folder, **tensors)
    with pytest.raises(CatalogError, match=fault):
        read(folder)


def test_an_adapter_for_another_model_is_refused(tiny, folder):
    change_tensors(folder, **{f"{Q}.lora_A.weight": torch.zeros(4, 32)})
    with pytest.raises(CatalogError, match=r"q_proj: made for a layer of \(in, out\) = \(32, 64\), the model's is"):
        fit(read(folder), tiny.model)
    head = "base_model.model.lm_head.lora_"
    change_tensors(folder, **{f"{head}A.weight": torch.zeros(4, 64), f"{head}B.weight": torch.zeros(385, 4)})
    with pytest.raises(CatalogError, match="targets 'lm_head', which is no linear layer inside the model's blocks"):
        fit(read(folder), tiny.model)


def test_a_missing_or_damaged_file_is_named(folder):
    (folder / WEIGHTS).write_bytes(b"not weights")
    with pytest.raises(CatalogError, match="not a safetensors file"):
        read(folder)
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")
    with pytest.raises(CatalogError, match=r"no adapter_model\.safetensors; expected a PEFT folder"):
        read(folder)
    (folder / CONFIG).write_text("{")
    (folder / "adapter_model.bin").rename(folder / WEIGHTS)
    with pytest.raises(CatalogError, match=r"adapter_config\.json: cannot be read as JSON"):
        read(folder)


def test_a_target_that_no_layer_has_cannot_be_written(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"no linear layer of the model ends in one of \['Wqkv'\]"):
        write_random(tmp_path, tiny.model, seed=1, targets=("Wqkv",))
