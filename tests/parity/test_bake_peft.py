"""Adapters that PEFT saves, baked as its own merge_and_unload does."""

import pytest
import torch
from peft import AdaLoraConfig, BOFTConfig, IA3Config, LoHaConfig, LoKrConfig, LoraConfig, OFTConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.pytorch_utils import Conv1D


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(30, 16)
        self.q_proj = torch.nn.Linear(16, 24)
        self.k_proj = torch.nn.Linear(16, 16, bias=False)
        self.up_proj = torch.nn.Linear(16, 64)
        self.down_proj = torch.nn.Linear(64, 16)
        self.conv = torch.nn.Conv2d(8, 12, 3)
        self.c_attn = Conv1D(48, 16)
        self.head = torch.nn.Linear(16, 10)

    def forward(self, x):
        return x


LINEAR = ["q_proj", "k_proj", "up_proj", "down_proj"]
CASES = {
    "LoRA without an alpha": LoraConfig(r=4, target_modules=LINEAR),
    "LoRA": LoraConfig(r=4, lora_alpha=6, target_modules=[*LINEAR, "conv"]),
    "LoRA of an embedding": LoraConfig(r=4, lora_alpha=6, target_modules=["words", "k_proj"]),
    "rank-stabilised LoRA": LoraConfig(r=4, lora_alpha=6, use_rslora=True, target_modules=LINEAR),
    "LoRA with patterns": LoraConfig(r=4, lora_alpha=6, target_modules=LINEAR, rank_pattern={"q_proj": 2, "down.*": 8}, alpha_pattern={"k_proj": 1, "down_proj": 32}),
    "LoRA with biases of its own": LoraConfig(r=4, lora_alpha=6, lora_bias=True, target_modules=["q_proj", "down_proj"]),
    "LoRA with all biases": LoraConfig(r=4, lora_alpha=6, bias="all", target_modules=["q_proj"]),
    "LoRA with a layer that was trained whole": LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj"], modules_to_save=["head"]),
    "LoRA of GPT-2's layers": LoraConfig(r=4, lora_alpha=6, fan_in_fan_out=True, target_modules=["c_attn"]),
    "DoRA": LoraConfig(r=4, lora_alpha=6, use_dora=True, target_modules=LINEAR),
    "DoRA of a convolution": LoraConfig(r=4, lora_alpha=6, use_dora=True, target_modules=["conv", "q_proj"]),
    "DoRA of an embedding": LoraConfig(r=4, lora_alpha=6, use_dora=True, target_modules=["words"]),
    "IA3": IA3Config(target_modules=["q_proj", "k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "IA3 of a convolution": IA3Config(target_modules=["conv"], feedforward_modules=[]),
    "IA3 of what goes into a convolution": IA3Config(target_modules=["conv"], feedforward_modules=["conv"]),
    "LoHa": LoHaConfig(r=4, alpha=6, target_modules=[*LINEAR, "conv"]),
    "LoHa with cores": LoHaConfig(r=4, alpha=6, use_effective_conv2d=True, target_modules=["conv"]),
    "LoKr": LoKrConfig(r=2, alpha=6, target_modules=[*LINEAR, "conv"]),
    "LoKr, both in factors": LoKrConfig(r=1, alpha=6, decompose_both=True, decompose_factor=4, target_modules=["up_proj"]),
    "LoKr, both whole": LoKrConfig(r=16, alpha=6, target_modules=["k_proj"]),
    "OFT": OFTConfig(r=0, oft_block_size=4, target_modules=LINEAR),
    "OFT that is solved": OFTConfig(r=0, oft_block_size=4, use_cayley_neumann=False, target_modules=LINEAR),
    "OFT with three terms": OFTConfig(r=0, oft_block_size=4, num_cayley_neumann_terms=3, target_modules=LINEAR),
    "OFT with two terms": OFTConfig(r=0, oft_block_size=4, num_cayley_neumann_terms=2, target_modules=LINEAR),
    "OFT with one block for all": OFTConfig(r=0, oft_block_size=4, block_share=True, target_modules=LINEAR),
    "OFT of a convolution": OFTConfig(r=0, oft_block_size=8, target_modules=["conv"]),
    "OFT that is kept small": OFTConfig(r=0, oft_block_size=4, coft=True, eps=0.01, target_modules=LINEAR),
    "BOFT": BOFTConfig(boft_block_size=4, boft_n_butterfly_factor=1, target_modules=LINEAR),
    "BOFT in two stages": BOFTConfig(boft_block_size=4, boft_n_butterfly_factor=2, target_modules=["q_proj", "down_proj"]),
    "AdaLoRA": AdaLoraConfig(init_r=4, target_r=4, lora_alpha=6, total_step=10, target_modules=LINEAR),
}


@pytest.mark.parametrize("what", CASES)
def test_bakes_what_peft_merges(weightsmith, tmp_path, monkeypatch, what):
    if what == "BOFT in two stages":  # without its CUDA kernel PEFT makes one stage of it
        monkeypatch.setattr("peft.tuners.boft.layer.get_fbd_cuda", lambda: True)
        monkeypatch.setattr("peft.tuners.boft.layer.FastBlockDiag.apply",
                            lambda stages: torch.stack([torch.block_diag(*blocks) for blocks in stages]))
    torch.manual_seed(sum(map(ord, what)))
    model = Model()
    save_file({k: v.clone() for k, v in model.state_dict().items()}, tmp_path / "base.safetensors")
    before = {k: v.clone() for k, v in model.state_dict().items()}
    adapted = get_peft_model(model, CASES[what])
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_magnitude" in name or "ia3_l" in name or "boft_s" in name:
                parameter.mul_(1 + 0.2 * torch.randn_like(parameter))
            elif parameter.requires_grad and parameter.is_floating_point():
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    adapted.save_pretrained(tmp_path / "adapter", safe_serialization=True)
    merged = adapted.merge_and_unload().state_dict()
    weightsmith("bake", "base.safetensors", "--lora", "adapter", "-o", "out.safetensors")
    out = load_file(tmp_path / "out.safetensors")
    assert out.keys() == merged.keys()
    assert any(not torch.equal(out[name], before[name]) for name in out)
    for name, expected in merged.items():
        torch.testing.assert_close(out[name], expected, rtol=1e-5, atol=2e-6, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("what, config", {
    "the embedding": {"target_modules": ["embed_tokens", "q_proj"]},
    "the embedding and the head": {"target_modules": ["embed_tokens", "lm_head"]},
    "DoRA of the embedding": {"target_modules": ["embed_tokens"], "use_dora": True},
}.items())
def test_factors_change_the_embedding_that_is_saved_beside_them(weightsmith, tmp_path, what, config):
    """PEFT saves the layers that it wraps, and loading the adapter puts them into the base."""
    torch.manual_seed(sum(map(ord, what)))
    sizes = {"vocab_size": 48, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    trained, base = (LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=False)) for _ in range(2))
    base.load_state_dict(trained.state_dict())
    with torch.no_grad():  # the adapter was trained on another embedding than it is baked into
        trained.get_input_embeddings().weight.mul_(1.5)
    adapted = get_peft_model(trained, LoraConfig(r=4, lora_alpha=6, **config))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_magnitude" in name:
                parameter.mul_(1 + 0.2 * torch.randn_like(parameter))
            elif parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    adapted.save_pretrained(tmp_path / "adapter", safe_serialization=True)
    assert any("base_layer" in name for name in load_file(tmp_path / "adapter" / "adapter_model.safetensors"))
    before = {k: v.clone() for k, v in base.state_dict().items()}
    save_file(before, tmp_path / "base.safetensors")
    merged = PeftModel.from_pretrained(base, tmp_path / "adapter").merge_and_unload().state_dict()
    weightsmith("bake", "base.safetensors", "--lora", "adapter", "-o", "out.safetensors")
    out = load_file(tmp_path / "out.safetensors")
    assert out.keys() == merged.keys()
    assert not torch.equal(out["model.embed_tokens.weight"], before["model.embed_tokens.weight"])
    for name, expected in merged.items():
        torch.testing.assert_close(out[name], expected, rtol=1e-5, atol=2e-6, msg=lambda text, name=name: f"{name}: {text}")
