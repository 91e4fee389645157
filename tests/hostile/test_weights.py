"""Weights from strangers: each is refused in one clear line by `ecosim check`, before anything is loaded or written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ecosim import cli
from ecosim.errors import CatalogError
from ecosim.models.adapter import WEIGHTS, write_random
from ecosim.models.load import load

MARKET = Path(__file__).parents[2] / "scenarios/smart_manufacturing.yaml"
Q = "base_model.model.model.layers.0.self_attn.q_proj.lora_"


def settings(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def tensors(file: Path, **changes: np.ndarray) -> None:
    save_file(load_file(file) | changes, file)


def raw(file: Path, header: object, body: bytes = b"", announced: int | None = None) -> None:
    """A file with a header of our own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if announced is None else announced
    file.write_bytes(length.to_bytes(8, "little") + text + body)


def one(**entry: object) -> dict[str, object]:
    return {"t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | entry}


def lora(folder: Path, harm: str) -> None:
    {
        "nothing there": lambda: shutil.rmtree(folder),
        "no settings": lambda: (folder / "adapter_config.json").unlink(),
        "pickle": lambda: (folder / WEIGHTS).rename(folder / "adapter_model.bin"),
        "rank of a million": lambda: settings(folder / "adapter_config.json", r=10**6),
        "rank beside the weights": lambda: settings(folder / "adapter_config.json", r=3),
        "rank that is text": lambda: settings(folder / "adapter_config.json", r="4"),
        "infinite scaling": lambda: settings(folder / "adapter_config.json", lora_alpha=float("inf")),
        "another kind": lambda: settings(folder / "adapter_config.json", peft_type="PREFIX_TUNING"),
        "settings are a list": lambda: (folder / "adapter_config.json").write_text("[]"),
        "settings nested too deep": lambda: (folder / "adapter_config.json").write_text("[" * 100_000),
        "settings too large": lambda: (folder / "adapter_config.json").write_text(" " * (17 * 2**20)),
        "not weights": lambda: (folder / WEIGHTS).write_bytes(b"weights"),
        "truncated": lambda: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-8]),
        "header of 2^60 bytes": lambda: raw(folder / WEIGHTS, {}, announced=2**60),
        "header of 11 MiB": lambda: raw(folder / WEIGHTS, b" " * (11 * 2**20)),
        "no tensors": lambda: raw(folder / WEIGHTS, {}),
        "header is a list": lambda: raw(folder / WEIGHTS, []),
        "shape larger than the bytes": lambda: raw(folder / WEIGHTS, one(shape=[10**9]), bytes(4)),
        "negative shape": lambda: raw(folder / WEIGHTS, one(shape=[-1, -1]), bytes(4)),
        "offsets beyond the end": lambda: raw(folder / WEIGHTS, one(data_offsets=[4, 8]), bytes(4)),
        "unknown type": lambda: raw(folder / WEIGHTS, one(dtype="OBJ"), bytes(4)),
        "another base": lambda: tensors(folder / WEIGHTS, **{f"{Q}A.weight": np.zeros((4, 32), np.float32)}),
        "a layer that is not there": lambda: tensors(
            folder / WEIGHTS,
            **{f"{Q}A.weight".replace("layers.0", "layers.9"): np.zeros((4, 64), np.float32)},
            **{f"{Q}B.weight".replace("layers.0", "layers.9"): np.zeros((64, 4), np.float32)},
        ),
        "whole numbers": lambda: tensors(folder / WEIGHTS, **{f"{Q}A.weight": np.zeros((4, 64), np.int32)}),
        "a module saved whole": lambda: tensors(folder / WEIGHTS, **{"lm_head.weight": np.zeros(4, np.float32)}),
    }[harm]()


ADAPTERS = {
    "nothing there": "no adapter_config.json; expected a PEFT folder",
    "no settings": "no adapter_config.json; expected a PEFT folder",
    "pickle": "no adapter_model.safetensors; expected a PEFT folder with adapter_config.json and "
    "adapter_model.safetensors; ecosim loads no pickle files",
    "rank of a million": "r is 1,000,000, at most 1,024 is low rank",
    "rank beside the weights": "expected (3, in) and (out, 3): r is 3",
    "rank that is text": "r is '4', expected a number above 0",
    "infinite scaling": "lora_alpha is inf, expected a number above 0",
    "another kind": "peft_type is 'PREFIX_TUNING', expected 'LORA'",
    "settings are a list": "adapter_config.json: expected keys and values, got list",
    "settings nested too deep": "adapter_config.json: cannot be read as JSON: maximum recursion depth exceeded",
    "settings too large": "adapter_config.json: 17,825,792 bytes; at most 16,777,216 are read",
    "not weights": "not a safetensors file: 7 bytes, and a header of",
    "truncated": "not a safetensors file: its tensors take",
    "header of 2^60 bytes": "and a header of 1,152,921,504,606,846,976 announced",
    "header of 11 MiB": "a header of 11,534,336 bytes; at most 10,485,760 are read",
    "no tensors": "holds no tensors",
    "header is a list": "its header is not a table of tensors",
    "shape larger than the bytes": "tensor 't': type, shape and place do not fit together",
    "negative shape": "tensor 't': type, shape and place do not fit together",
    "offsets beyond the end": "its tensors take 8 bytes, 4 are there: truncated?",
    "unknown type": "tensor 't': type, shape and place do not fit together",
    "another base": "made for a layer of (in, out) = (32, 64), and the model's is (64, 64); was it trained on another",
    "a layer that is not there": "model.layers.9.self_attn.q_proj: made for a layer of (in, out) = (64, 64), which the "
    "base model does not have",
    "whole numbers": "numbers of type I32 and F32; known: F64, F32, F16, BF16",
    "a module saved whole": "lm_head.weight: not the A or B of a linear layer; ecosim applies plain LoRA only",
}


def model(folder: Path, harm: str) -> None:
    {
        "nothing there": lambda: shutil.rmtree(folder),
        "no settings": lambda: (folder / "config.json").unlink(),
        "pickle": lambda: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "remote code": lambda: settings(folder / "config.json", auto_map={"AutoModel": "evil.Model"}),
        "remote code of the tokenizer": lambda: settings(folder / "tokenizer_config.json", auto_map={"A": "evil.T"}),
        "truncated": lambda: (folder / "model.safetensors").write_bytes(bytes(100)),
        "settings of another model": lambda: settings(folder / "config.json", hidden_size=128),
        "a shard that is missing": lambda: (folder / "model.safetensors.index.json").write_text(
            '{"weight_map": {"t": "../../model-00002.safetensors"}}'
        ),
        "an adapter": lambda: (folder / "config.json").rename(folder / "adapter_config.json"),
    }[harm]()


MODELS = {
    "nothing there": "there is no folder",
    "no settings": "no config.json in",
    "pickle": "(there is pytorch_model.bin); ecosim loads no pickle files: save as safetensors",
    "remote code": "config.json: auto_map: this model brings code of its own, and ecosim runs none",
    "remote code of the tokenizer": "tokenizer_config.json: auto_map: this model brings code of its own",
    "truncated": "not a safetensors file",
    "settings of another model": "config.json says (vocab_size, hidden_size) = ",
    "a shard that is missing": "names '../../model-00002.safetensors', which is not in the folder",
    "an adapter": "holds an adapter, not a base model; name it under adapter:",
}


@pytest.fixture
def refusal(tmp_path, monkeypatch, capsys):
    """What `ecosim check` and `ecosim run` say of the market with these models; both must refuse and write nothing."""

    def ask(spec: dict[str, str]) -> str:
        scenario, empty = tmp_path / "s.yaml", tmp_path / "empty"
        scenario.write_text(MARKET.read_text() + f"\nmodels: {json.dumps({'mine': spec})}\n")
        empty.mkdir()
        monkeypatch.chdir(empty)
        said = []
        for command in ("check", "run"):
            monkeypatch.setattr("sys.argv", ["ecosim", command, str(scenario)])
            with pytest.raises(SystemExit) as end:
                cli.main()
            out, err = capsys.readouterr()
            assert (end.value.code, out) == (2, ""), err
            said.append(err)
        assert said[0] == said[1] and said[0].count("\n") == 1 and not list(empty.iterdir())
        return said[0]

    return ask


@pytest.mark.parametrize("harm", ADAPTERS)
def test_an_adapter_from_a_stranger_is_refused(refusal, tiny, tiny_folder, tmp_path, harm):
    folder = write_random(tmp_path / "adapter", tiny.model, seed=1, rank=4)
    lora(folder, harm)
    said = refusal({"base": f"path:{tiny_folder}", "adapter": str(folder)})
    assert said.startswith("ecosim: ") and "models.mine: " in said and ADAPTERS[harm] in said, said


@pytest.mark.parametrize("harm", MODELS)
def test_a_model_from_a_stranger_is_refused(refusal, tiny_folder, tmp_path, harm):
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    model(folder, harm)
    said = refusal({"base": f"path:{folder}"})
    assert said.startswith("ecosim: ") and "models.mine: " in said and MODELS[harm] in said, said


def test_numbers_that_are_not_finite_are_told_when_a_model_is_loaded(tiny_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    file = folder / "model.safetensors"
    save_file(load_file(file) | {"model.norm.weight": np.full(64, np.nan, np.float32)}, file, metadata={"format": "pt"})
    with pytest.raises(CatalogError, match=r"model\.norm\.weight holds numbers that are not finite"):
        load(f"path:{folder}", device="cpu")


def test_weights_that_are_missing_are_not_made_up(tiny_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    file = folder / "model.safetensors"
    kept = {name: t for name, t in load_file(file).items() if "layers.1.mlp.up_proj" not in name}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(CatalogError, match=r"1 of its weights are missing, 'model\.layers\.1\.mlp"):
        load(f"path:{folder}", device="cpu")


def test_a_look_at_weights_needs_no_torch(tiny_folder):
    code = (
        "import sys; from ecosim.models.sources import headers\n"
        f"assert len(headers('path:{tiny_folder}')) > 10; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
