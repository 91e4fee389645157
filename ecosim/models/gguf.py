"""A GGUF file of a Llama model as a fresh `LlamaForCausalLM` in float32, with its tokenizer, saved as safetensors.

transformers can read GGUF too, but wants another library for it, takes 15 s each time, and what it loads refuses
`save_pretrained`; this is done once, in a few seconds. Rotary positions: GGUF keeps the rows of the query and key
projections interleaved (0, half, 1, half + 1, …), transformers keeps the halves one after another.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.models.load import quiet

if TYPE_CHECKING:
    from transformers import LlamaConfig, PreTrainedTokenizerFast

_TENSORS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_CONTROL = 3  # token type of GGUF: never written as text


def convert(file: Path, folder: Path) -> None:
    """Write a GGUF Llama as safetensors, configuration and tokenizer into an existing folder.

    Raises:
        CatalogError: the file is of another architecture, or its tensors don't fit it.
    """
    import torch
    from gguf import GGUFReader, dequantize
    from transformers import LlamaForCausalLM

    reader = GGUFReader(str(file))
    facts = dict(reader.fields)
    architecture = facts["general.architecture"].contents()
    if architecture != "llama":
        raise CatalogError(f"{file.name}: architecture {architecture!r} can't be converted; expected 'llama'")
    config = _config(facts)
    state = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if tensor.name.endswith("attn_q.weight"):
            values = halves(values, config.num_attention_heads)
        if tensor.name.endswith("attn_k.weight"):
            values = halves(values, config.num_key_value_heads)
        state[_name(tensor.name)] = torch.from_numpy(np.ascontiguousarray(values))
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise CatalogError(f"{file.name}: tensors don't fit: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    with quiet():
        model.save_pretrained(folder)
        _tokenizer(facts).save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for its user alone; a cache may be shared


def halves(weight: Array, num_heads: int) -> Array:
    """The rows of a query or key projection, from interleaved to halves, within each head.

    >>> halves(np.arange(6).reshape(6, 1), num_heads=1).ravel()
    array([0, 2, 4, 1, 3, 5])
    """
    rows, width = weight.shape
    pairs = weight.reshape(num_heads, rows // num_heads // 2, 2, width)
    return cast(Array, pairs.swapaxes(1, 2).reshape(rows, width))


def _name(name: str) -> str:
    """The transformers name of a GGUF tensor."""
    top = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
    stem = name.removesuffix(".weight")
    if stem in top:
        return f"{top[stem]}.weight"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{_TENSORS[part]}.weight"


def _config(facts: dict[str, Any]) -> LlamaConfig:
    from transformers import LlamaConfig

    def llama(name: str) -> Any:
        return facts[f"llama.{name}"].contents()

    return LlamaConfig(
        vocab_size=len(facts["tokenizer.ggml.tokens"].data),
        hidden_size=llama("embedding_length"),
        intermediate_size=llama("feed_forward_length"),
        num_hidden_layers=llama("block_count"),
        num_attention_heads=llama("attention.head_count"),
        num_key_value_heads=llama("attention.head_count_kv"),
        max_position_embeddings=llama("context_length"),
        rms_norm_eps=float(f"{llama('attention.layer_norm_rms_epsilon'):.6g}"),
        rope_parameters={"rope_type": "default", "rope_theta": llama("rope.freq_base")},
        bos_token_id=facts["tokenizer.ggml.bos_token_id"].contents(),
        eos_token_id=facts["tokenizer.ggml.eos_token_id"].contents(),
        pad_token_id=facts["tokenizer.ggml.padding_token_id"].contents(),
        tie_word_embeddings=True,
    )


def _tokenizer(facts: dict[str, Any]) -> PreTrainedTokenizerFast:
    """The byte-level BPE that the file describes; digits stand alone, as SmolLM2 was trained."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = facts["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in facts["tokenizer.ggml.merges"].contents()]
    kinds = facts["tokenizer.ggml.token_type"].contents()
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [t for t, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in control])

    def token(role: str) -> str:
        return str(tokens[facts[f"tokenizer.ggml.{role}_token_id"].contents()])

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=token("bos"),
        eos_token=token("eos"),
        unk_token=token("unknown"),
        pad_token=token("padding"),
        clean_up_tokenization_spaces=False,
    )
