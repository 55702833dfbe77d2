"""Storage dtypes as PyTorch converts them, by files that either side reads and writes."""

import pytest
import torch
from safetensors.torch import load_file, save_file

NARROW = {
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "f8_e4m3": torch.float8_e4m3fn,
    "f8_e5m2": torch.float8_e5m2,
}
# What PyTorch does beyond the largest number: infinity, where the dtype has one; e4m3 has none, and
# this PyTorch stores its largest number (older ones stored NaN, as we do where that is allowed).
OVERFLOW = {"f8_e4m3": "saturate"}
CODES = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def every_code(dtype):
    """Every bit pattern of an 8- or 16-bit dtype."""
    width = torch.empty((), dtype=dtype).element_size()
    if width == 1:
        return torch.arange(256, dtype=torch.int16).to(torch.uint8).view(dtype)
    return torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)


def assert_same_bits(actual, expected):
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    codes = CODES[actual.element_size()]
    wrong = (actual.view(codes) != expected.view(codes)) & ~(actual.float().isnan() & expected.float().isnan())
    assert not wrong.any(), (actual[wrong][:5], expected[wrong][:5])


def comparable(values, word):
    """Infinities are no overflow and have no counterpart in e4m3."""
    return values[~values.isinf()] if word in OVERFLOW else values


def convert(weightsmith, tmp_path, tensor, word):
    """The program's conversion: a copy with another dtype of storage."""
    save_file({"w": tensor.contiguous()}, tmp_path / "in.safetensors")
    (tmp_path / "recipe.yaml").write_text(
        "weightsmith: 1\n"
        "models: {m: in.safetensors}\n"
        f"output: {{model: m, path: out.safetensors, dtype: {{\"/^w$/\": {word}}}}}\n"
        f"policy: {{non_finite: {OVERFLOW.get(word, 'allow')}, effect: any}}\n"
    )
    weightsmith("merge", "recipe.yaml", "--force", "--no-sync")
    return load_file(tmp_path / "out.safetensors")["w"]


@pytest.mark.parametrize("word", NARROW)
def test_every_code_widens_as_in_pytorch(weightsmith, tmp_path, word):
    codes = every_code(NARROW[word])
    assert_same_bits(convert(weightsmith, tmp_path, codes, "f32"), codes.to(torch.float32))


@pytest.mark.parametrize("word", NARROW)
def test_every_halfway_point_and_its_neighbours_round_as_in_pytorch(weightsmith, tmp_path, word):
    finite = every_code(NARROW[word]).to(torch.float64)
    finite = torch.unique(finite[finite.isfinite()])
    halfway = ((finite[:-1] + finite[1:]) / 2).to(torch.float32)
    largest = finite[-1].to(torch.float32)
    beyond = largest * torch.tensor([1.0, 1.01, 1.03, 1.0357, 1.04, 1.06, 1.0625, 1.07, 1.1, 1.125, 1.2, 2.0])
    values = torch.cat([halfway, finite.to(torch.float32), beyond, -beyond])
    around = torch.cat([
        values,
        torch.nextafter(values, torch.tensor(torch.inf)),
        torch.nextafter(values, torch.tensor(-torch.inf)),
        torch.tensor([torch.inf, -torch.inf, torch.nan, 0.0, -0.0]),
    ])
    around = comparable(around, word)
    assert_same_bits(convert(weightsmith, tmp_path, around, word), around.to(NARROW[word]))


@pytest.mark.parametrize("word", NARROW)
def test_random_floats_of_every_size_round_as_in_pytorch(weightsmith, tmp_path, word):
    generator = torch.Generator().manual_seed(3)
    values = torch.randint(-(2**31), 2**31, (1_000_000,), dtype=torch.int64, generator=generator)
    values = comparable(values.to(torch.int32).view(torch.float32), word)
    assert_same_bits(convert(weightsmith, tmp_path, values, word), values.to(NARROW[word]))
