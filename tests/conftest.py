"""What several rooms' tests share: a tiny language model with random weights, made on the spot."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ecosim import cli
from ecosim.models.load import LanguageModel, load, quiet, set_numerics_environment

set_numerics_environment()  # before anything imports torch
os.environ["RAY_AUTH_MODE"] = (
    "token"  # before anything imports ray: it is read then, and must be what its processes read
)
os.environ["MPLBACKEND"] = "agg"  # no windows, here or in the processes that tests start

WORDS = """accept counter reject first second third You buy steel pump. They offer 12.40 for 57, week 3. Answer: Price:
Quantity: Week: Seller: limit round left 0123456789 one number of units. Title: A video about learning football today"""


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Done]:
    """Commands typed in an empty folder, at 80 columns, through the entry point that the installed `ecosim` calls."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def type_in(*words: object) -> Done:
        monkeypatch.setattr("sys.argv", ["ecosim", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = (re.sub(r"\x1b\[[0-9;]*m", "", text) for text in capsys.readouterr())  # colours, where forced
        return Done(int(end.value.code or 0), out, err)

    return type_in


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers that speaks ChatML, as a folder: for what does not depend on the weights."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=control,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(WORDS.split("\n"), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=fast.eos_token_id,
        bos_token_id=fast.bos_token_id,
        pad_token_id=fast.pad_token_id,
        tie_word_embeddings=True,
        initializer_range=0.08,  # options differ, and none always wins
    )
    with quiet():
        LlamaForCausalLM(config).save_pretrained(folder)
        fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> LanguageModel:
    return load(f"path:{tiny_folder}", device="cpu")
