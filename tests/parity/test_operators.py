"""Operators as PyTorch computes them, where PyTorch's order of operations is the documented one."""

import pytest
import torch
from safetensors.torch import load_file, save_file

DTYPES = [torch.float32, torch.float16, torch.bfloat16]

STEPS = {
    "weighted_sum": (
        "{op: weighted_sum, a: a, b: b, alpha: 0.3}",
        lambda a, b, c: (1 - torch.tensor(0.3)) * a + torch.tensor(0.3) * b,
    ),
    "add_difference": (
        "{op: add_difference, a: a, b: b, c: c, alpha: 0.7}",
        lambda a, b, c: a + torch.tensor(0.7) * (b - c),
    ),
    "sum_twice": (
        "{op: sum_twice, a: a, b: b, c: c, alpha: 0.3, beta: 0.2}",
        lambda a, b, c: (1 - torch.tensor(0.2)) * ((1 - torch.tensor(0.3)) * a + torch.tensor(0.3) * b)
        + torch.tensor(0.2) * c,
    ),
    "multiply": ("{op: multiply, a: a, b: b}", lambda a, b, c: a * b),
    "clamp": ("{op: clamp, a: a, low: -0.5, high: 0.25}", lambda a, b, c: a.clamp(-0.5, 0.25)),
}


@pytest.fixture
def models(tmp_path):
    def make(dtype):
        generator = torch.Generator().manual_seed(1)
        result = []
        for name in "abc":
            tensor = torch.randn((257, 129), generator=generator).to(dtype)
            save_file({"w": tensor}, tmp_path / f"{name}.safetensors")
            result.append(tensor.float())
        return result

    return make


def merge(weightsmith, tmp_path, step):
    (tmp_path / "recipe.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors, c: c.safetensors}\n"
        f"steps: {{out: {step}}}\noutput: {{model: out, path: out.safetensors}}\n"
    )
    weightsmith("merge", "recipe.yaml", "--force", "--no-sync")
    return load_file(tmp_path / "out.safetensors")["w"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", STEPS)
def test_an_operator_gives_the_bits_of_pytorch(weightsmith, tmp_path, models, name, dtype):
    step, compute = STEPS[name]
    expected = compute(*models(dtype)).to(dtype)
    assert torch.equal(merge(weightsmith, tmp_path, step), expected)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_lerp_differs_by_its_association_only(weightsmith, tmp_path, models, dtype):
    """a.lerp(b, α) is a + α·(b - a), maybe fused: the same up to the last bits of f32."""
    a, b, _ = models(dtype)
    result = merge(weightsmith, tmp_path, STEPS["weighted_sum"][0])
    expected = a.lerp(b, 0.3)
    spacing = torch.finfo(dtype).eps
    assert torch.allclose(result.float(), expected, rtol=spacing, atol=2e-7)
