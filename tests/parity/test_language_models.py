"""The tensors of language models are those that transformers makes of their published configurations."""

import json

import pytest
import torch
from safetensors import safe_open

transformers = pytest.importorskip("transformers")

PUBLISHED = {
    "llama": dict(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                  num_attention_heads=32, num_key_value_heads=8, tie_word_embeddings=False),
    "mistral": dict(vocab_size=32768, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                    num_attention_heads=32, num_key_value_heads=8, tie_word_embeddings=False),
    "qwen2": dict(vocab_size=152064, hidden_size=3584, intermediate_size=18944, num_hidden_layers=28,
                  num_attention_heads=28, num_key_value_heads=4, tie_word_embeddings=False),
    "qwen3": dict(vocab_size=151936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=36,
                  num_attention_heads=32, num_key_value_heads=8, head_dim=128, tie_word_embeddings=True),
    "gemma": dict(vocab_size=256000, hidden_size=3072, intermediate_size=24576, num_hidden_layers=28,
                  num_attention_heads=16, num_key_value_heads=16, head_dim=256, tie_word_embeddings=True),
    "gemma2": dict(vocab_size=256000, hidden_size=2304, intermediate_size=9216, num_hidden_layers=26,
                   num_attention_heads=8, num_key_value_heads=4, head_dim=256, tie_word_embeddings=True),
    "gemma3_text": dict(vocab_size=262144, hidden_size=1152, intermediate_size=6912, num_hidden_layers=26,
                        num_attention_heads=4, num_key_value_heads=1, head_dim=256, tie_word_embeddings=True),
}


def model_of(model_type, sizes):
    config = transformers.AutoConfig.for_model(model_type, **sizes)
    return transformers.AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("model_type", PUBLISHED)
def test_published_sizes_have_the_tensors_of_transformers(weightsmith, tmp_path, model_type):
    with torch.device("meta"):
        theirs = model_of(model_type, PUBLISHED[model_type]).state_dict()
    weightsmith("synth", model_type.removesuffix("_text"), "--sparse", "-o", "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        ours = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}
    if PUBLISHED[model_type]["tie_word_embeddings"]:
        theirs.pop("lm_head.weight", None)  # the embedding once more; save_pretrained leaves it out
    assert ours == {name: list(tensor.shape) for name, tensor in theirs.items()}


@pytest.mark.parametrize("model_type", PUBLISHED)
def test_any_size_that_transformers_saves_is_recognised(weightsmith, tmp_path, model_type):
    sizes = PUBLISHED[model_type] | dict(hidden_size=80, intermediate_size=112, num_hidden_layers=3,
                                         num_attention_heads=4, num_key_value_heads=2, head_dim=24)
    sizes["vocab_size"] = 256008 if model_type == "gemma" else 512
    model = model_of(model_type, sizes)
    model.save_pretrained(tmp_path / "saved", max_shard_size="400KB" if model_type != "gemma" else "50MB")
    weightsmith("convert", "saved", "-o", "whole.safetensors")
    told = json.loads(weightsmith("info", "saved", "--json"))
    assert told["architecture"] == model_type.removesuffix("_text")
    assert told["layout"] == "hf" and told["components"]["transformer"]["complete"]
    assert not told["components"]["transformer"]["extra"] and not told["damage"]
    with safe_open(tmp_path / "whole.safetensors", "pt") as file:
        for name in file.keys():
            assert torch.equal(file.get_tensor(name), model.state_dict()[name]), name


def test_umt5_has_the_tensors_of_transformers(weightsmith, tmp_path):
    config = transformers.UMT5Config(vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
                                     feed_forward_proj="gated-gelu")
    with torch.device("meta"):
        theirs = transformers.UMT5EncoderModel(config).state_dict()
    weightsmith("synth", "umt5xxl", "--sparse", "-o", "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        ours = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}
    theirs.pop("encoder.embed_tokens.weight", None)  # shared.weight once more
    assert len(ours) == 242 and ours == {name: list(tensor.shape) for name, tensor in theirs.items()}
