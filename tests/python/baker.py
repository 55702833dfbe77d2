"""Baking an adapter of given tensors into a small model, and numpy's version of it."""

import numpy as np

import support

F32 = ("--dtype", "f32")


def delta(tensors, stem, scale=1.0):
    """scale · up · down in f64."""
    down, up = tensors[f"{stem}.lora_down.weight"].astype(np.float64), tensors[f"{stem}.lora_up.weight"].astype(np.float64)
    return scale * up.reshape(up.shape[0], -1) @ down.reshape(down.shape[0], -1)


def pair_for(stem, rows, columns, rank=4, seed=1, alpha=None, ends=("lora_down.weight", "lora_up.weight")):
    random = np.random.default_rng(seed)
    tensors = {f"{stem}.{ends[0]}": random.standard_normal((rank, columns)).astype(np.float32) * 0.1,
               f"{stem}.{ends[1]}": random.standard_normal((rows, rank)).astype(np.float32) * 0.1}
    if alpha is not None:
        tensors[f"{stem}.alpha"] = np.array(alpha, np.float32)
    return tensors


class Baker:
    """Bakes an adapter of given tensors into a base."""

    def __init__(self, weightsmith, tmp_path, base):
        self.weightsmith, self.folder, self.base = weightsmith, tmp_path, base
        self.before = support.read(base).tensors

    def __call__(self, tensors, *more, strength="", status=0, base=None):
        support.write(self.folder / "lora.safetensors", tensors)
        result = self.weightsmith("bake", base or self.base, "--lora", f"lora.safetensors{strength}", *more, "-f", "-o", "out.safetensors", status=status)
        self.words = result.stderr
        return support.read(self.folder / "out.safetensors").tensors if status == 0 else result

    def expect(self, out, changes, rtol=1e-5):
        """`changes`: name -> (rows, what is added to them)."""
        for name, tensor in self.before.items():
            expected = tensor.astype(np.float64)
            if name in changes:
                rows, change = changes[name]
                expected[rows] += change.reshape(expected[rows].shape)
                np.testing.assert_allclose(out[name].astype(np.float64), expected, rtol=rtol, atol=1e-6, err_msg=name)
                assert not np.array_equal(out[name], tensor), name
            else:
                support.assert_same_bits(out[name], tensor, name)


ALL = slice(None)
ATTENTION = "input_blocks.1.1.transformer_blocks.0.attn1"
QUERY = f"lora_unet_{ATTENTION.replace('.', '_')}_to_q"


def query(baker, **options):
    return pair_for(QUERY, *baker.before[f"model.diffusion_model.{ATTENTION}.to_q.weight"].shape, **options)
