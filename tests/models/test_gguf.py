import gguf as library
import numpy as np
import pytest
import torch

from ecosim.errors import CatalogError
from ecosim.models import gguf
from ecosim.models.load import LanguageModel, load, quiet


def interleaved(weight: np.ndarray, num_heads: int) -> np.ndarray:
    """As llama.cpp writes query and key rows (`convert_hf_to_gguf.py`, LlamaModel.permute)."""
    halves = weight.reshape(num_heads, 2, weight.shape[0] // num_heads // 2, weight.shape[1])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def write_gguf(tiny: LanguageModel, path, architecture="llama"):
    config, state = tiny.model.config, tiny.model.state_dict()
    writer = library.GGUFWriter(path, architecture)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    vocabulary = sorted(tiny.tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    control = set(tiny.tokenizer.all_special_tokens) | {"<|endoftext|>"}
    merges = tiny.tokenizer.backend_tokenizer
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([3 if token in control else 1 for token, _ in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in __import__("json").loads(merges.to_str())["model"]["merges"]])
    for role in ("bos", "eos", "pad", "unk"):
        getattr(writer, f"add_{role}_token_id")(tiny.tokenizer.eos_token_id if role != "bos" else 1)
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    for layer in range(config.num_hidden_layers):
        names |= {f"model.layers.{layer}.{b}.weight": f"blk.{layer}.{a}.weight" for a, b in gguf._TENSORS.items()}
    for ours, theirs in names.items():
        values = state[ours].numpy()
        if "attn_q" in theirs:
            values = interleaved(values, config.num_attention_heads)
        if "attn_k" in theirs:
            values = interleaved(values, config.num_key_value_heads)
        writer.add_tensor(theirs, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_converted_model_thinks_as_the_one_that_was_written(tiny, tmp_path):
    write_gguf(tiny, tmp_path / "tiny.gguf")
    (tmp_path / "out").mkdir()
    gguf.convert(tmp_path / "tiny.gguf", tmp_path / "out")
    again = load(f"path:{tmp_path / 'out'}", device="cpu")
    text = "They offer 12.40 for 57, week 3.<|im_end|>"
    ids = tiny.tokenizer(text).input_ids
    assert again.tokenizer(text).input_ids == ids
    with torch.inference_mode(), quiet():
        mine, theirs = (m.model(torch.tensor([ids])).logits for m in (again, tiny))
    assert torch.equal(mine, theirs)


def test_another_architecture_is_refused(tiny, tmp_path):
    write_gguf(tiny, tmp_path / "tiny.gguf", architecture="gemma")
    with pytest.raises(CatalogError, match="architecture 'gemma' can't be converted"):
        gguf.convert(tmp_path / "tiny.gguf", tmp_path)


@pytest.mark.model
def test_the_base_model_knows_a_capital_and_reads_digit_by_digit():
    language = load("smollm2-135m-instruct", device="cpu")
    ids = language.tokenizer("The capital of France is", return_tensors="pt").input_ids
    with torch.inference_mode():
        best = int(language.model(ids).logits[0, -1].argmax())
    assert language.tokenizer.decode([best]) == " Paris"
    assert language.tokenizer.tokenize(" 12.40") == ["Ġ", "1", "2", ".", "4", "0"]
    assert language.num_core_parameters == 134_515_008 - 49_152 * 576
