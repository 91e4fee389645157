import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from ecosim.errors import CatalogError
from ecosim.models.sources import RECORD, WEIGHTS, Record, record, resolve
from ecosim.wheels import sha256_of


def test_a_folder_of_yours_is_a_model(tiny_folder):
    what = record(f"path:{tiny_folder}")
    assert resolve(f"path:{tiny_folder}") == tiny_folder
    assert what.num_bytes == (tiny_folder / WEIGHTS).stat().st_size
    assert what.sha256 == sha256_of(tiny_folder / WEIGHTS)
    # two layers of 2·(64² + 64·32) + 3·64·128 + 2·64, the tied embedding of 64 a token, and the last norm
    tokens = json.loads((tiny_folder / "config.json").read_text())["vocab_size"]
    assert what.num_parameters == 2 * (2 * (64 * 64 + 64 * 32) + 3 * 64 * 128 + 2 * 64) + 64 * tokens + 64


def test_weights_that_changed_after_they_were_recorded_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    save_file({"changed": np.ones(1, np.float32)}, tmp_path / WEIGHTS)
    noted = Record(name="m", source="s", sha256="0" * 64, licence="MIT", num_parameters=1, num_bytes=7)
    (tmp_path / RECORD).write_text(json.dumps(noted.as_dict()))
    with pytest.raises(CatalogError, match=r"SHA-256 is .*recorded was 000000000000….*delete"):
        record(f"path:{tmp_path}")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("smollm3", r"model 'smollm3' is unknown; known: smollm2-135m-instruct, minilm-l6-v2, hf:owner/name@revision"),
        ("hf:owner/name", "expected hf:owner/name@revision"),
        ("path:/nowhere/at/all", "there is no folder /nowhere/at/all"),
    ],
)
def test_an_unknown_model_is_one_clear_line(name, fault):
    with pytest.raises(CatalogError, match=fault):
        resolve(name)


def test_pickle_files_are_not_loaded(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(CatalogError, match=r"no \.safetensors file"):
        resolve(f"path:{tmp_path}")
