"""Every family that LyCORIS trains, baked as its own modules merge it."""

import pytest
import torch
from lycoris.modules.boft import ButterflyOFTModule
from lycoris.modules.diag_oft import DiagOFTModule
from lycoris.modules.glora import GLoRAModule
from lycoris.modules.ia3 import IA3Module
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from safetensors.torch import load_file, save_file


def linear(rows=24, columns=16):
    return torch.nn.Linear(columns, rows)


def conv(kernel=3, rows=24, columns=16):
    return torch.nn.Conv2d(columns, rows, kernel)


RANK = {"lora_dim": 4, "alpha": 3.0}
DORA = {"weight_decompose": True}
CASES = {  # what -> (module class, its layer, options); those of ONE_STRENGTH at 1 alone, where all agree
    "LoRA": (LoConModule, linear, RANK),
    "LoRA of a convolution": (LoConModule, conv, RANK),
    "LoRA of a convolution of one pixel": (LoConModule, lambda: conv(1), RANK),
    "LoRA with a core": (LoConModule, conv, {**RANK, "use_tucker": True}),
    "rank-stabilised LoRA": (LoConModule, linear, {**RANK, "rs_lora": True}),
    "DoRA by row": (LoConModule, linear, {**RANK, **DORA, "wd_on_out": True}),
    "DoRA by column": (LoConModule, linear, {**RANK, **DORA, "wd_on_out": False}),
    "DoRA of a convolution by row": (LoConModule, conv, {**RANK, **DORA, "wd_on_out": True}),
    "DoRA of a convolution by column": (LoConModule, conv, {**RANK, **DORA, "wd_on_out": False}),
    "LoHa": (LohaModule, linear, RANK),
    "LoHa of a convolution": (LohaModule, conv, RANK),
    "LoHa with cores": (LohaModule, conv, {**RANK, "use_tucker": True}),
    "LoHa with DoRA": (LohaModule, linear, {**RANK, **DORA}),
    "LoKr, the second in factors": (LokrModule, linear, {**RANK, "factor": 4, "lora_dim": 1}),
    "LoKr, both in factors": (LokrModule, lambda: linear(64, 64), {**RANK, "factor": 8, "decompose_both": True, "lora_dim": 2}),
    "LoKr, both whole": (LokrModule, linear, {**RANK, "factor": 4, "full_matrix": True}),
    "LoKr of a convolution": (LokrModule, conv, {**RANK, "factor": 4, "lora_dim": 1}),
    "LoKr with a core": (LokrModule, lambda: conv(3, 64, 64), {**RANK, "factor": 4, "lora_dim": 2, "use_tucker": True}),
    "LoKr with DoRA": (LokrModule, linear, {**RANK, **DORA, "factor": 4, "lora_dim": 1}),
    "GLoRA": (GLoRAModule, linear, RANK),
    "GLoRA of a convolution": (GLoRAModule, conv, RANK),
    "GLoRA with a core": (GLoRAModule, conv, {**RANK, "use_tucker": True}),
    "OFT": (DiagOFTModule, linear, {"lora_dim": 4, "alpha": 0}),
    "OFT of a convolution": (DiagOFTModule, conv, {"lora_dim": 4, "alpha": 0}),
    "OFT that is limited": (DiagOFTModule, linear, {"lora_dim": 4, "alpha": 0.001, "constraint": 0.001}),
    "OFT with rescaling": (DiagOFTModule, linear, {"lora_dim": 4, "alpha": 0, "rescaled": True}),
    "BOFT": (ButterflyOFTModule, lambda: linear(32, 16), {"lora_dim": 4, "alpha": 0}),
    "BOFT of a convolution": (ButterflyOFTModule, lambda: conv(3, 32, 16), {"lora_dim": 4, "alpha": 0}),
    "BOFT with rescaling": (ButterflyOFTModule, lambda: linear(32, 16), {"lora_dim": 4, "alpha": 0, "rescaled": True}),
    "IA3 by row": (IA3Module, linear, {}),
    "IA3 by column": (IA3Module, linear, {"train_on_input": True}),
    "IA3 of a convolution by row": (IA3Module, conv, {}),
    "IA3 of a convolution by column": (IA3Module, conv, {"train_on_input": True}),
    "a norm": (NormModule, lambda: torch.nn.LayerNorm(24), {}),
    "a group norm": (NormModule, lambda: torch.nn.GroupNorm(4, 24), {}),
}
ONE_STRENGTH = [what for what in CASES if "DoRA" in what or "rescaling" in what]


def trained(what):
    """A module of the case with random values, and its layer."""
    torch.manual_seed(sum(map(ord, what)))
    make, layer, options = CASES[what]
    layer = layer()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    module = make("lora_unet_blocks_0_layer", layer, 1.0, **options)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name == "dora_scale" or name == "rescale" or name == "scalar":
                parameter.mul_(1 + 0.1 * torch.rand_like(parameter))
            else:
                parameter.copy_(torch.randn_like(parameter) * 0.2)
    return module, layer


def merged(module, layer, strength):
    """What the module makes of its layer. LyCORIS' merge of LoHa and LoKr takes alpha / rank twice, its
    training once: theirs is the weight that was trained."""
    if not isinstance(module, (LohaModule, LokrModule)):
        return module.get_merged_weight(multiplier=strength)
    change = module.get_weight(layer.weight.shape)
    if module.wd:
        return module.apply_weight_decompose(layer.weight + change, strength), None
    return layer.weight + strength * change, None


def baked(weightsmith, tmp_path, layer, state, strength):
    save_file({f"blocks.0.layer.{name}": value.detach().clone() for name, value in layer.state_dict().items()},
              tmp_path / "base.safetensors")
    save_file({f"lora_unet_blocks_0_layer.{name}": value.detach().clone().contiguous() for name, value in state.items()},
              tmp_path / "lora.safetensors")
    weightsmith("bake", "base.safetensors", "--lora", f"lora.safetensors:{strength}", "-f", "-o", "out.safetensors")
    return load_file(tmp_path / "out.safetensors")


@pytest.mark.parametrize("what,strength", [(what, strength) for what in CASES for strength in ([1] if what in ONE_STRENGTH else [1, 0.7, -0.5])])
def test_bakes_what_lycoris_merges(weightsmith, tmp_path, what, strength):
    module, layer = trained(what)
    state = module.state_dict()
    weight, bias = merged(module, layer, strength)
    out = baked(weightsmith, tmp_path, layer, state, strength)
    assert not torch.equal(out["blocks.0.layer.weight"], layer.weight)
    torch.testing.assert_close(out["blocks.0.layer.weight"], weight.detach().reshape(layer.weight.shape), rtol=1e-5, atol=2e-6)
    if bias is not None and layer.bias is not None:
        torch.testing.assert_close(out["blocks.0.layer.bias"], bias.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("what", [what for what in ONE_STRENGTH if "DoRA" in what])
def test_dora_is_interpolated(weightsmith, tmp_path, what):
    """As ComfyUI, Forge and LyCORIS' functional form have it: W + m·(W' - W)."""
    module, layer = trained(what)
    weight, _ = merged(module, layer, 1)
    expected = layer.weight + 0.4 * (weight.reshape(layer.weight.shape) - layer.weight)
    out = baked(weightsmith, tmp_path, layer, module.state_dict(), 0.4)
    torch.testing.assert_close(out["blocks.0.layer.weight"], expected.detach(), rtol=1e-5, atol=2e-6)


def test_whole_differences_are_added(weightsmith, tmp_path):
    layer = linear()
    state = {"diff": torch.randn(24, 16), "diff_b": torch.randn(24)}
    out = baked(weightsmith, tmp_path, layer, state, 0.3)
    torch.testing.assert_close(out["blocks.0.layer.weight"], (layer.weight + 0.3 * state["diff"]).detach())
    torch.testing.assert_close(out["blocks.0.layer.bias"], (layer.bias + 0.3 * state["diff_b"]).detach())
