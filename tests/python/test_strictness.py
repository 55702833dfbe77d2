"""The two halves of strictness, as lists: jobs that must be refused, each with its message, and legitimate ones
that must pass without an error and without a warning.

In the arguments and recipes, `sdxl.2` stands for the tiny synthetic SDXL of seed 2; a name of MADE stands for a file
that is made of such ones.
"""

import re

import numpy as np
import pytest

import support
import torch_files as tf

UNET = "model.diffusion_model."
MODEL = re.compile(r"\b((?:sd|flux|chroma|z-image|llama|qwen|clip|vae)[a-z0-9_-]*(?:\.5-[a-z]+)?)\.([1-9])\b")


def changed(change):
    """A file made of the tensors of another one."""
    return lambda read, path: support.write(path, change(dict(read)))


def without(word):
    return changed(lambda tensors: {name: array for name, array in tensors.items() if word not in name})


def with_tensor(name, array):
    return changed(lambda tensors: tensors | {name: array})


def with_metadata(**metadata):
    return lambda read, path: support.write(path, dict(read), {key.replace("_at_", "."): value for key, value in metadata.items()})


def as_torch(read, path):
    """torch.save, of the 16-bit tensors of the UNet: enough of a checkpoint."""
    data = {name: array for name, array in read.items() if array.dtype == np.float16}
    state, storages = {}, {}
    for number, (name, array) in enumerate(data.items()):
        stride, strides = 1, []
        for size in reversed(array.shape):
            strides.insert(0, stride)
            stride *= size
        state[name] = tf.tensor(str(number), array.shape, tuple(strides), numel=array.size, kind="HalfStorage")
        storages[str(number)] = np.ascontiguousarray(array).tobytes()
    path.write_bytes(tf.saved({"state_dict": state}, storages))


def fp8_scaled(tensors):
    name = UNET + "input_blocks.1.0.in_layers.2.weight"
    name = next(n for n in tensors if n.startswith(UNET) and n.endswith("weight") and tensors[n].ndim == 2) if name not in tensors else name
    tensors[name] = tensors[name].astype(support.DTYPES["F8_E4M3"])
    tensors[name.removesuffix("weight") + "scale_weight"] = np.ones((), np.float32)
    return tensors | {"scaled_fp8": np.zeros(2, support.DTYPES["F8_E4M3"])}


def four_bit(tensors):
    name = next(n for n in tensors if "attn1.to_q.weight" in n)
    packed = np.zeros((tensors[name].size // 2, 1), np.uint8)
    return tensors | {name: packed, name + ".absmax": np.ones(4, np.float32), name + ".quant_map": np.ones(16, np.float32),
                      name + ".quant_state.bitsandbytes__nf4": np.zeros(8, np.uint8)}


def reshaped(tensors):
    name = UNET + "time_embed.0.weight"
    return tensors | {name: np.concatenate([tensors[name]] * 2)}


def larger_vocabulary(tensors):
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = np.concatenate([tensors[name], tensors[name][:8]])
    return tensors


def huge(tensors):
    return {name: np.full_like(array, 60000) if array.dtype == np.float16 else array for name, array in tensors.items()}


MADE = {  # name -> (of which model, how)
    "v_pred.safetensors": ("sdxl.2", with_tensor("v_pred", np.zeros(0, np.float32))),
    "v_pred_too.safetensors": ("sdxl.3", with_tensor("v_pred", np.zeros(0, np.float32))),
    "ztsnr.safetensors": ("sdxl.2", with_tensor("ztsnr", np.zeros(0, np.float32))),
    "v_by_metadata.safetensors": ("sdxl.2", with_metadata(modelspec_at_prediction_type="v")),
    "no_metadata.safetensors": ("sdxl.2", changed(dict)),
    "reshaped.safetensors": ("sd15.2", changed(reshaped)),
    "lacks_key.safetensors": ("sd15.2", without("middle_block.1.norm.weight")),
    "no_position_ids.safetensors": ("sd15.2", without("position_ids")),
    "no_logit_scale.safetensors": ("sdxl.2", without("logit_scale")),
    "no_vae.safetensors": ("sd15.2", without("first_stage_model.")),
    "no_text.safetensors": ("sd15.2", without("cond_stage_model.")),
    "unet_only.safetensors": ("sd15.2", changed(lambda t: {n: a for n, a in t.items() if n.startswith(UNET)})),
    "vae_only.safetensors": ("sd15.2", changed(lambda t: {n: a for n, a in t.items() if n.startswith("first_stage")})),
    "text_only.safetensors": ("sd15.2", changed(lambda t: {n: a for n, a in t.items() if n.startswith("cond_stage")})),
    "copy.safetensors": ("sd15.1", changed(dict)),
    "ema.safetensors": ("sd15.2", changed(lambda t: t | {
        "model_ema." + n.removeprefix("model.").replace(".", ""): a for n, a in t.items() if n.startswith(UNET)})),
    "trained.safetensors": ("sd15.2", changed(lambda t: t | {
        "optimizer_states.0.exp_avg": np.ones(4, np.float32), "betas": np.ones(1000, np.float32),
        "alphas_cumprod": np.ones(1000, np.float32)})),
    "fp8_scaled.safetensors": ("sd15.2", changed(fp8_scaled)),
    "nvfp4.safetensors": ("sd15.2", changed(lambda t: {n.replace(".scale_weight", ".weight_scale_2"): a for n, a in fp8_scaled(t).items()})),
    "nf4.safetensors": ("sd15.2", changed(four_bit)),
    "f32.safetensors": ("sd15.2", changed(lambda t: {n: a.astype(np.float32) if a.dtype == np.float16 else a for n, a in t.items()})),
    "f8.safetensors": ("sd15.2", changed(lambda t: {n: a.astype(support.DTYPES["F8_E4M3"]) if a.dtype == np.float16 else a for n, a in t.items()})),
    "huge.safetensors": ("sd15.2", changed(huge)),
    "low.safetensors": ("sd15.2", changed(lambda t: {n: -a if a.dtype == np.float16 else a for n, a in huge(t).items()})),
    "larger.safetensors": ("llama.2", changed(larger_vocabulary)),
    "tied.safetensors": ("llama.2", without("lm_head")),
    "old.ckpt": ("sd15.2", as_torch),
    "unknown.safetensors": ("sd15.1", changed(lambda t: {f"stem.{i}.weight": np.full((4, 4), i, np.float16) for i in range(6)})),
    "unknown_too.safetensors": ("sd15.1", changed(lambda t: {f"stem.{i}.weight": np.full((4, 4), -i, np.float16) for i in range(6)})),
    "un named; ☃.safetensors": ("sd15.2", changed(dict)),
    "x.safetensors": ("sd15.2", changed(dict)),
    "gguf.safetensors": ("sd15.1", lambda read, path: path.write_bytes(b"GGUF\3\0\0\0" + bytes(64))),
    "pointer.safetensors": ("sd15.1", lambda read, path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")),
    "page.safetensors": ("sd15.1", lambda read, path: path.write_text("<!DOCTYPE html><html>404</html>")),
    "code.ckpt": ("sd15.1", lambda read, path: path.write_bytes(tf.saved(
        {"w": tf.Reduce(tf.Global("mine", "Weight"), (tf.tensor("0", (2, 2)),))}, {"0": bytes(16)}))),
}


def recipe(step, output="{model: out, path: out.safetensors}", models="{a: sd15.1, b: sd15.2}", more=""):
    return f"weightsmith: 1\nmodels: {models}\n{more}steps:\n  out: {step}\noutput: {output}\n"


THREE = "{a: sd15.1, b: sd15.2, c: sd15.3}"


def mix(alpha, **rest):
    return recipe(f"{{op: weighted_sum, a: a, b: b, alpha: {alpha}}}", **rest)


def pair(a, b):
    return f"{{a: {a}, b: {b}}}"


def merge(a, b, *more):
    return ["merge", a, b, "--alpha", "0.5", "-o", "out.safetensors", *more]


REFUSED = {  # what -> (arguments or a recipe, status, what is said)
    "sd15 with sdxl": (merge("sd15.1", "sdxl.1"), 3, "weights of different architectures do not mix"),
    "sd15 with sd21": (merge("sd15.1", "sd21.1"), 3, "weights of different architectures do not mix"),
    "sdxl with its refiner": (merge("sdxl.1", "sdxl-refiner.1"), 3, "'sdxl-refiner"),
    "sd3 with flux": (merge("sd3.1", "flux1-dev.1"), 3, "weights of different architectures do not mix"),
    "sd3.5 medium with large": (merge("sd3.5-medium.1", "sd3.5-large.1"), 3, "weights of different architectures do not mix"),
    "flux with chroma": (merge("flux1-dev.1", "chroma.1"), 3, "weights of different architectures do not mix"),
    "llama with qwen2": (merge("llama.1", "qwen2.1"), 3, "weights of different architectures do not mix"),
    "a vocabulary that grew": (merge("llama.1", "larger.safetensors"), 3, "'lm_head.weight'"),
    "a tied head": (merge("llama.1", "tied.safetensors"), 3, "tensors that 'tied' does not have: lm_head.weight"),
    "a marker of v-prediction": (merge("sdxl.1", "v_pred.safetensors"), 3, "prediction"),
    "v-prediction by metadata": (merge("sdxl.1", "v_by_metadata.safetensors"), 3, "prediction"),
    "an inpainting model, unasked": (merge("sd15.1", "sd15-inpainting.1"), 3, "input_channels: keep_extra"),
    "a tensor of another shape": (merge("sd15.1", "reshaped.safetensors"), 3, "time_embed.0.weight"),
    "a weight that b lacks": (merge("sd15.1", "lacks_key.safetensors"), 3, "middle_block.1.norm.weight"),
    "a weight that c lacks": (recipe("{op: add_difference, a: a, b: b, c: c, alpha: 1}",
                                     models="{a: sd15.1, b: sd15.3, c: lacks_key.safetensors}"), 3, "middle_block.1.norm.weight"),
    "two of the same": (merge("sd15.1", "copy.safetensors"), 8, "operands are the same"),
    "the same twice": (merge("sd15.1", "sd15.1"), 8, "operands are the same"),
    "nothing in common": (merge("vae_only.safetensors", "unet_only.safetensors"), 3, "no tensor in common"),
    "a list that is too short": (["merge", "sd15.1", "sd15.2", "--alpha", "[0.1, 0.2]", "-o", "o.safetensors"], 2, "26"),
    "a list of 26 for flux": (mix([0.5] * 26, models=pair("flux1-dev.1", "flux1-dev.2")), 3, "61"),
    "a block that is not there": (mix("{default: 0.5, in.12: 1}"), 3, "in.12"),
    "an element that is not there": (mix("{default: 0.5, in.1.nowhere: 1}"), 2, "unknown place 'in.1.nowhere'"),
    "an expression that fits nothing": (mix("{default: 0.5, '/nowhere/': 1}"), 3, "/nowhere/"),
    "an unknown preset": (["merge", "sd15.1", "sd15.2", "--alpha", "GRAD_X", "-o", "o.safetensors"], 2, "GRAD_X"),
    "places without a weight": (mix("{te: 0.5}"), 3, "default"),
    "two scales": (merge("sd15.1", "nvfp4.safetensors"), 3, "quantis"),
    "four bits": (merge("sd15.1", "nf4.safetensors"), 3, "bnb"),
    "a VAE as a UNet": (recipe("{op: weighted_sum, a: a, b: b, alpha: 0.5}", models="{a: sd15.1, b: {unet: vae_only.safetensors}}"), 3, "unet"),
    "a VAE from a file without": (mix("0.5", models="{a: sd15.1, b: sd15.3, c: no_vae.safetensors}",
                                      output="{model: out, path: out.safetensors, components: {vae: c}}"), 3, "takes 'vae' from 'c', which has none"),
    "a component that no model has": (mix("0.5", output="{model: out, path: o.safetensors, components: {clip_g: a}}"), 3, "clip_g"),
    "a difference as a model": (recipe("{op: subtract, a: a, b: b}"), 2, "delta"),
    "values beyond f16": (recipe("{op: add, a: a, b: {op: subtract, a: a, b: b}, alpha: 1}", models=pair("huge.safetensors", "low.safetensors")), 3, "leave the range of F16"),
    "a layout of others": (mix("0.5", output="{model: out, path: o.safetensors, layout: bfl}"), 3, "no layout 'bfl'"),
    "a whole model as a file of diffusers": (mix("0.5", output="{model: out, path: o.safetensors, layout: diffusers}"), 3, "one component"),
    "shards and parts": (mix("0.5", output="{model: out, path: o, split: true, max_shard_size: 1MB}"), 2, "exclude each other"),
    "an output that is an input": (["merge", "sd15.1", "x.safetensors", "--alpha", "0.5", "-o", "x.safetensors", "--force"], 2, "is the input"),
    "an output that exists": (["merge", "sd15.1", "sd15.2", "--alpha", "0.5", "-o", "x.safetensors"], 2, "exists"),
    "a pinned hash": (mix("0.5", models=f"{{a: {{path: sd15.1, sha256: {'0' * 64}}}, b: sd15.2}}"), 5, "sha256"),
    "an encoder that no file of this kind has": (mix("{default: 0.5, t5xxl: 1}"), 3, "clip_l = te1"),
    "a part that lacks a key": (["assemble", "--like", "sd1", "--unet", "lacks_key.safetensors", "-o", "o.safetensors"], 3, "not a complete unet"),
    "a part of another architecture": (["assemble", "--like", "sdxl", "--unet", "unet_only.safetensors", "-o", "o.safetensors"], 3, "not a complete unet"),
    "splitting the unknown": (["split", "unknown.safetensors", "-o", "parts"], 3, "has no known components"),
    "a component to keep that is not there": (["convert", "sd15.1", "--components", "unet,t5xxl", "-o", "o.safetensors"], 3, "t5xxl"),
    "a GGUF file": (merge("sd15.1", "gguf.safetensors"), 4, "GGUF"),
    "a pointer instead of the file": (merge("sd15.1", "pointer.safetensors"), 4, "git lfs pull"),
    "a page instead of the file": (merge("sd15.1", "page.safetensors"), 4, "HTML"),
    "a tensor that code would make": (["convert", "code.ckpt", "-o", "o.safetensors"], 4, "mine.Weight"),
}

LEGITIMATE = {  # what -> arguments or a recipe
    "scaled fp8": merge("sd15.1", "fp8_scaled.safetensors"),
    "two of sd15": merge("sd15.1", "sd15.2"),
    "two of sdxl": merge("sdxl.1", "sdxl.2"),
    "two of sd21": merge("sd21.1", "sd21.2"),
    "two of sd3": merge("sd3.1", "sd3.2"),
    "two of flux": merge("flux1-dev.1", "flux1-dev.2"),
    "two of z-image": merge("z-image.1", "z-image.2"),
    "two of llama": merge("llama.1", "llama.2"),
    "dev with schnell": merge("flux1-dev.1", "flux1-schnell.2"),
    "schnell with dev": merge("flux1-schnell.1", "flux1-dev.2"),
    "two inpainting models": merge("sd15-inpainting.1", "sd15-inpainting.2"),
    "an inpainting model, asked": merge("sd15-inpainting.1", "sd15.2", "--policy", "input_channels=keep_extra"),
    "an inpainting model of a fine-tune": recipe(
        "{op: add_difference, a: a, b: b, c: c, alpha: 1}", models="{a: sd15-inpainting.1, b: sd15.2, c: sd15.3}",
        more="policy: {input_channels: keep_extra}\n"),
    "two of v-prediction": merge("v_pred.safetensors", "v_pred_too.safetensors"),
    "a marker of zero terminal noise": merge("sdxl.1", "ztsnr.safetensors"),
    "another prediction, asked": merge("sdxl.1", "v_pred.safetensors", "--policy", "prediction=allow"),
    "no metadata": merge("sdxl.1", "no_metadata.safetensors"),
    "no position_ids": merge("sd15.1", "no_position_ids.safetensors"),
    "no position_ids on the left": merge("no_position_ids.safetensors", "sd15.1"),
    "no logit_scale": merge("sdxl.1", "no_logit_scale.safetensors"),
    "no VAE": merge("sd15.1", "no_vae.safetensors"),
    "no text encoder": merge("no_text.safetensors", "sd15.1"),
    "a UNet alone with a whole model": merge("unet_only.safetensors", "sd15.1"),
    "a whole model with a UNet alone": merge("sd15.1", "unet_only.safetensors"),
    "text encoders alone": merge("text_only.safetensors", "sd15.1"),
    "f32 with f16": merge("f32.safetensors", "sd15.1"),
    "f16 with 8 bits": merge("sd15.1", "f8.safetensors"),
    "EMA copies in one": merge("sd15.1", "ema.safetensors"),
    "schedules and training state in one": merge("sd15.1", "trained.safetensors"),
    "a .ckpt": merge("sd15.1", "old.ckpt"),
    "alpha 0": recipe("{op: weighted_sum, a: a, b: b, alpha: 0}"),
    "alpha 1": recipe("{op: weighted_sum, a: a, b: b, alpha: 1}"),
    "alpha 0 in the text encoder": mix("{default: 0.5, te: 0}"),
    "26 numbers": mix([0.5] * 26),
    "20 numbers for sdxl": mix([0.5] * 20, models=pair("sdxl.1", "sdxl.2")),
    "21 numbers for sdxl": mix([0.5] * 21, models=pair("sdxl.1", "sdxl.2")),
    "61 numbers for flux": mix([0.5] * 61, models=pair("flux1-dev.1", "flux1-dev.2")),
    "a preset": ["merge", "sd15.1", "sd15.2", "--alpha", "GRAD_V", "-o", "out.safetensors"],
    "blocks and an expression": mix("{default: 0.5, in.3: 0.1, '/attn2/': 0.2}"),
    "another VAE": mix("0.5", output="{model: out, path: out.safetensors, components: {vae: c}}", models=THREE),
    "a text encoder of another": mix("0.5", output="{model: out, path: out.safetensors, components: {te: b}}"),
    "models that are not used": mix("0.5", models="{a: sd15.1, b: sd15.2, later: not_there_yet.safetensors}"),
    "a step that is not used": recipe("{op: weighted_sum, a: a, b: b, alpha: 0.5}\n  idea: {op: add, a: a, b: {op: subtract, a: b, b: a}}"),
    "the unknown with its like": merge("unknown.safetensors", "unknown_too.safetensors"),
    "blocks of the unknown": mix("{default: 0.5, stem.2: 0.1}", models=pair("unknown.safetensors", "unknown_too.safetensors")),
    "one model alone, smaller": recipe("{op: copy, a: a}", output="{model: out, path: out.safetensors, dtype: f8_e4m3}", models="{a: sd15.1}"),
    "more than all of a difference": recipe("{op: add_difference, a: a, b: b, c: c, alpha: 1.5}", models=THREE),
    "a missing key, asked": merge("sd15.1", "lacks_key.safetensors", "--policy", "missing=keep"),
    "spaces and other letters": merge("sd15.1", "un named; ☃.safetensors"),
    "no effect, asked": merge("sd15.1", "copy.safetensors", "--policy", "effect=any"),
    "a text encoder by itself": merge("clip_l.1", "clip_l.2"),
    "VAEs by themselves": merge("vae.1", "vae.2"),
    "shards": mix("0.5", output="{model: out, path: out.safetensors, max_shard_size: 1MB}"),
    "parts": mix("0.5", output="{model: out, path: parts, split: true}"),
}

WARNED = {  # of what is right and may be a mistake all the same
    "26 numbers": "the list's BASE merges the VAEs as well",
    "20 numbers for sdxl": "the list's BASE merges the VAEs as well",
    "models that are not used": "nothing uses the model 'later'",
    "a step that is not used": "nothing uses the step 'idea'",
}


@pytest.fixture
def run(weightsmith, tiny, tmp_path):
    def path_of(match):
        return str(tiny(match[1], int(match[2])))

    def make(text):
        """The text with paths for models; the files that it names are there."""
        for name, (source, how) in MADE.items():
            if name in text and not (tmp_path / name).exists():
                how(support.read(MODEL.sub(path_of, source)).tensors, tmp_path / name)
        return MODEL.sub(path_of, text)

    def go(job, status):
        if isinstance(job, str):
            (tmp_path / "recipe.yaml").write_text(make(job))
            arguments = ["merge", "recipe.yaml"]
        else:
            if "x.safetensors" in job:
                make("x.safetensors")
            arguments = [make(argument) for argument in job]
        before = sorted(tmp_path.rglob("*"))
        result = weightsmith(*arguments, status=status)
        return result, [path for path in sorted(tmp_path.rglob("*")) if path not in before and "cache" not in path.parts]

    return go


def test_the_lists_are_long_enough():
    assert len(REFUSED) >= 40 and len(LEGITIMATE) >= 40


@pytest.mark.parametrize("what", support.sampled(REFUSED, 2))
def test_refused(run, what):
    job, status, said = REFUSED[what]
    result, new = run(job, status)
    assert said in result.stderr and not new


@pytest.mark.parametrize("what", support.sampled(LEGITIMATE, 3))
def test_legitimate(run, what):
    result, new = run(LEGITIMATE[what], 0)
    warnings = [line for line in result.stderr.splitlines() if "warning" in line]
    assert new and len(warnings) == (what in WARNED) and all(WARNED[what] in line for line in warnings)
