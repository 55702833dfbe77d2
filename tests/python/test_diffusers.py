"""Models in the naming of diffusers, merged with models in that of their publishers.

The other naming is computed here once more, from the published rules, and its tensors are made of
those of a synthetic checkpoint: q, k and v cut apart, the projection transposed, halves swapped.
"""

import json
import re

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import support

UNET = {
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1", "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in", "out.0": "conv_norm_out", "out.2": "conv_out",
}
RESIDUAL = {"in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
            "out_layers.0": "norm2", "out_layers.3": "conv2", "skip_connection": "conv_shortcut"}


def residual(name):
    for ours, theirs in RESIDUAL.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    return name


def unet_name(name):
    for ours, theirs in UNET.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    way, n, rest = re.match(r"(input_blocks|middle_block|output_blocks)\.(\d+)\.(.*)", name).groups()
    n = int(n)
    if way == "middle_block":
        return f"mid_block.attentions.0.{rest}" if n == 1 else f"mid_block.resnets.{n // 2}.{residual(rest)}"
    sub, rest = rest.split(".", 1)
    if way == "input_blocks":
        level, i = divmod(n - 1, 3)
        if rest.startswith("op."):
            return f"down_blocks.{level}.downsamplers.0.conv.{rest[3:]}"
        kind = f"resnets.{i}.{residual(rest)}" if sub == "0" else f"attentions.{i}.{rest}"
        return f"down_blocks.{level}.{kind}"
    level, i = divmod(n, 3)
    if rest.startswith("conv."):
        return f"up_blocks.{level}.upsamplers.0.{rest}"
    kind = f"resnets.{i}.{residual(rest)}" if sub == "0" else f"attentions.{i}.{rest}"
    return f"up_blocks.{level}.{kind}"


def vae_name(name, older=False):
    name = re.sub(r"mid\.block_(\d)", lambda m: f"mid_block.resnets.{int(m[1]) - 1}", name)
    parts = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
    if older:
        parts = {"norm": "group_norm", "q": "query", "k": "key", "v": "value", "proj_out": "proj_attn"}
    name = re.sub(r"mid\.attn_1\.(norm|q|k|v|proj_out)", lambda m: f"mid_block.attentions.0.{parts[m[1]]}", name)
    name = re.sub(r"down\.(\d)\.block\.(\d)", r"down_blocks.\1.resnets.\2", name)
    name = re.sub(r"down\.(\d)\.downsample", r"down_blocks.\1.downsamplers.0", name)
    name = re.sub(r"up\.(\d)\.block\.(\d)", lambda m: f"up_blocks.{3 - int(m[1])}.resnets.{m[2]}", name)
    name = re.sub(r"up\.(\d)\.upsample", lambda m: f"up_blocks.{3 - int(m[1])}.upsamplers.0", name)
    return name.replace("norm_out", "conv_norm_out").replace("nin_shortcut", "conv_shortcut")


def vae_tensor(name, array):
    return array.reshape(array.shape[:2]) if "attn_1" in name and array.ndim == 4 else array


def open_clip(tensors):
    """OpenCLIP's tensors as Hugging Face names them."""
    out = {}
    for name, array in tensors.items():
        if name == "text_projection":
            out["text_projection.weight"] = np.ascontiguousarray(array.T)
        elif name == "positional_embedding":
            out["text_model.embeddings.position_embedding.weight"] = array
        elif name.startswith("token_embedding"):
            out["text_model.embeddings." + name] = array
        elif name.startswith("ln_final"):
            out["text_model.final_layer_norm" + name[8:]] = array
        elif name != "logit_scale":
            n, rest = re.match(r"transformer\.resblocks\.(\d+)\.(.*)", name).groups()
            layer = f"text_model.encoder.layers.{n}."
            if rest.startswith("attn.in_proj_"):
                end = rest.removeprefix("attn.in_proj_")
                for part, rows in zip("qkv", np.split(array, 3)):
                    out[f"{layer}self_attn.{part}_proj.{end}"] = np.ascontiguousarray(rows)
            else:
                for ours, theirs in {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1",
                                     "mlp.c_proj": "mlp.fc2", "attn.out_proj": "self_attn.out_proj"}.items():
                    if rest.startswith(ours + "."):
                        out[layer + theirs + rest[len(ours):]] = array
    return out


def under(tensors, prefix):
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def pipeline(folder, tensors, encoders, transformer=None):
    """Writes a folder as diffusers saves it."""
    folder.mkdir()
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')

    def save(name, file, parts):
        (folder / name).mkdir()
        save_file(parts, folder / name / f"{file}.safetensors", metadata={"format": "pt"})

    unet = under(tensors, "model.diffusion_model.")
    save("unet", "diffusion_pytorch_model", {unet_name(k): v for k, v in unet.items()})
    vae = under(tensors, "first_stage_model.")
    save("vae", "diffusion_pytorch_model", {vae_name(k): vae_tensor(k, v) for k, v in vae.items()})
    for i, encoder in enumerate(encoders):
        save("text_encoder" + (f"_{i + 1}" if i else ""), "model", encoder)
    return folder


def sd15_folder(tiny, seed, path):
    tensors = load_file(tiny("sd15", seed))
    return pipeline(path, tensors, [under(tensors, "cond_stage_model.transformer.")])


def sdxl_folder(tiny, seed, path):
    tensors = load_file(tiny("sdxl", seed))
    return pipeline(path, tensors, [under(tensors, "conditioner.embedders.0.transformer."),
                                    open_clip(under(tensors, "conditioner.embedders.1.model."))])


FOLDERS = {"sd15": sd15_folder, "sdxl": sdxl_folder}


@pytest.mark.parametrize("architecture", FOLDERS)
def test_info_of_a_folder(weightsmith, tiny, tmp_path, architecture):
    FOLDERS[architecture](tiny, 1, tmp_path / "pipe")
    told = json.loads(weightsmith("info", "--json", "pipe").stdout)
    told = told[0] if isinstance(told, list) else told
    file = json.loads(weightsmith("info", "--json", tiny(architecture, 1)).stdout)
    file = file[0] if isinstance(file, list) else file
    assert (told["architecture"], told["variant"], told["layout"]) == (file["architecture"], file["variant"], "diffusers")
    for name, component in file["components"].items():
        assert told["components"][name]["complete"], name
        assert told["components"][name]["extra"] == []
        assert abs(told["components"][name]["parameters"] - component["parameters"]) <= 1, "logit_scale has no place"


@pytest.mark.parametrize("architecture", support.sampled(FOLDERS, 8))
@pytest.mark.parametrize("left", support.chosen(["folder", "file"], "folder"))
def test_a_folder_merges_with_a_file_as_its_file_would(weightsmith, tiny, tmp_path, architecture, left):
    FOLDERS[architecture](tiny, 1, tmp_path / "pipe")
    for name, first in (("by_folder", "pipe"), ("by_file", str(tiny(architecture, 1)))):
        pair = {"a": first, "b": str(tiny(architecture, 2))} if left == "folder" else {"a": str(tiny(architecture, 2)), "b": first}
        support.write_recipe(tmp_path / f"{name}.yaml", {
            "models": pair,
            "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"default": 0.3, "vae": 0.5}}},
            "output": {"model": "out", "path": f"{name}.safetensors"},
        })
        weightsmith("merge", f"{name}.yaml")
    folder, file = load_file(tmp_path / "by_folder.safetensors"), load_file(tmp_path / "by_file.safetensors")
    missing = file.keys() - folder.keys()
    assert folder.keys() <= file.keys() and all("logit_scale" in n or "position_ids" in n for n in missing), missing
    for name, array in folder.items():
        assert array.shape == file[name].shape and array.tobytes() == file[name].tobytes(), name


def test_a_unet_alone_and_a_vae_alone(weightsmith, tiny, tmp_path):
    tensors = load_file(tiny("sd15", 1))
    save_file({unet_name(k): v for k, v in under(tensors, "model.diffusion_model.").items()}, tmp_path / "unet.safetensors")
    vae = under(tensors, "first_stage_model.")
    save_file({vae_name(k, older=True): vae_tensor(k, v) for k, v in vae.items()}, tmp_path / "vae.safetensors")
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": str(tiny("sd15", 2)), "u": "unet.safetensors", "v": "vae.safetensors"},
        "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "u", "alpha": 1}},
        "output": {"model": "out", "path": "out.safetensors", "components": {"vae": "v"}},
    })
    weightsmith("merge", "r.yaml")
    out = load_file(tmp_path / "out.safetensors")
    for name, array in out.items():
        source = tensors if name.startswith(("model.diffusion_model.", "first_stage_model.")) else load_file(tiny("sd15", 2))
        assert array.tobytes() == source[name].tobytes(), name


def test_a_text_encoder_in_the_other_naming_goes_into_a_whole_model(weightsmith, tiny, tmp_path):
    one, two = load_file(tiny("sdxl", 1)), load_file(tiny("sdxl", 2))
    encoder = open_clip(under(two, "conditioner.embedders.1.model."))
    save_file(encoder, tmp_path / "clip_g.safetensors")
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": str(tiny("sdxl", 1)), "g": "clip_g.safetensors"},
        "output": {"model": "a", "path": "out.safetensors", "components": {"clip_g": "g"}},
    })
    weightsmith("merge", "r.yaml")
    out = load_file(tmp_path / "out.safetensors")
    missing = one.keys() - out.keys()
    assert out.keys() <= one.keys() and all("logit_scale" in name for name in missing)
    for name, array in out.items():
        source = two if name.startswith("conditioner.embedders.1.") else one
        assert array.shape == source[name].shape and array.tobytes() == source[name].tobytes(), name


def flux_tensors(tensors):
    out = {}

    def cut(array, names, sizes):
        at = 0
        for name, size in zip(names, sizes):
            out[name] = np.ascontiguousarray(array[at:at + size])
            at += size

    fixed = {"img_in": "x_embedder", "txt_in": "context_embedder", "final_layer.linear": "proj_out"}
    for ours, theirs in (("time_in", "timestep"), ("vector_in", "text"), ("guidance_in", "guidance")):
        fixed[f"{ours}.in_layer"] = f"time_text_embed.{theirs}_embedder.linear_1"
        fixed[f"{ours}.out_layer"] = f"time_text_embed.{theirs}_embedder.linear_2"
    double = {"img_mod.lin": "norm1.linear", "txt_mod.lin": "norm1_context.linear", "img_attn.proj": "attn.to_out.0",
              "txt_attn.proj": "attn.to_add_out", "img_mlp.0": "ff.net.0.proj", "img_mlp.2": "ff.net.2",
              "txt_mlp.0": "ff_context.net.0.proj", "txt_mlp.2": "ff_context.net.2"}
    norms = {"img_attn.norm.query_norm": "norm_q", "img_attn.norm.key_norm": "norm_k",
             "txt_attn.norm.query_norm": "norm_added_q", "txt_attn.norm.key_norm": "norm_added_k",
             "norm.query_norm": "norm_q", "norm.key_norm": "norm_k"}
    for name, array in tensors.items():
        stem, end = name.rsplit(".", 1)
        if stem in fixed:
            out[f"{fixed[stem]}.{end}"] = array
        elif stem == "final_layer.adaLN_modulation.1":
            shift, scale = np.split(array, 2)
            out[f"norm_out.linear.{end}"] = np.concatenate([scale, shift])
        elif stem.startswith("double_blocks."):
            _, n, rest = stem.split(".", 2)
            block = f"transformer_blocks.{n}."
            if rest in norms:
                out[f"{block}attn.{norms[rest]}.weight"] = array
            elif rest in double:
                out[f"{block}{double[rest]}.{end}"] = array
            else:
                names = ("to_q", "to_k", "to_v") if rest == "img_attn.qkv" else ("add_q_proj", "add_k_proj", "add_v_proj")
                cut(array, [f"{block}attn.{p}.{end}" for p in names], [array.shape[0] // 3] * 3)
        else:
            _, n, rest = stem.split(".", 2)
            block = f"single_transformer_blocks.{n}."
            if rest in norms:
                out[f"{block}attn.{norms[rest]}.weight"] = array
            elif rest == "linear1":
                w = array.shape[0] // 7
                cut(array, [f"{block}{p}.{end}" for p in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")], [w, w, w, 4 * w])
            else:
                out[f"{block}{'proj_out' if rest == 'linear2' else 'norm.linear'}.{end}"] = array
    return out


def test_flux_with_its_fused_matrices_and_swapped_halves(weightsmith, tiny, tmp_path):
    bf16 = load_file(tiny("flux1-dev", 1))
    theirs = flux_tensors(bf16)
    assert len(theirs) == 1160, "as published"
    save_file(theirs, tmp_path / "flux.safetensors")
    told = json.loads(weightsmith("info", "--json", "flux.safetensors").stdout)
    told = told[0] if isinstance(told, list) else told
    assert (told["architecture"], told["variant"], told["layout"]) == ("flux1", "dev", "diffusers")
    assert told["components"]["transformer"]["tensors"] == 780 and told["components"]["transformer"]["complete"]
    for name, first in (("by_theirs", "flux.safetensors"), ("by_ours", str(tiny("flux1-dev", 1)))):
        weightsmith("merge", first, tiny("flux1-dev", 2), "--alpha", "0.3", "-o", f"{name}.safetensors")
    ours, theirs = (support.read(tmp_path / f"{n}.safetensors").tensors for n in ("by_ours", "by_theirs"))
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].tobytes() == theirs[name].tobytes(), name


def z_image_tensors(tensors):
    out = {}
    for name, array in tensors.items():
        if ".attention.qkv." in name:
            for part, rows in zip("qkv", np.split(array, 3)):
                out[name.replace("attention.qkv", f"attention.to_{part}")] = np.ascontiguousarray(rows)
        else:
            name = re.sub(r"^(x_embedder|final_layer)\.", r"all_\1.2-1.", name)
            name = name.replace("attention.out.", "attention.to_out.0.")
            out[re.sub(r"attention\.([qk])_norm", r"attention.norm_\1", name)] = array
    return out


def test_z_image(weightsmith, tiny, tmp_path):
    save_file(z_image_tensors(load_file(tiny("z-image", 1))), tmp_path / "z.safetensors")
    told = json.loads(weightsmith("info", "--json", "z.safetensors").stdout)
    told = told[0] if isinstance(told, list) else told
    assert (told["architecture"], told["layout"]) == ("z-image", "diffusers")
    assert told["components"]["transformer"]["complete"] and told["components"]["transformer"]["tensors"] == 453
    for name, first in (("by_theirs", "z.safetensors"), ("by_ours", str(tiny("z-image", 1)))):
        weightsmith("merge", first, tiny("z-image", 2), "--alpha", "0.3", "-o", f"{name}.safetensors")
    ours, theirs = (support.read(tmp_path / f"{n}.safetensors").tensors for n in ("by_ours", "by_theirs"))
    assert ours.keys() == theirs.keys() and all(ours[n].tobytes() == theirs[n].tobytes() for n in ours)


def test_shards_of_a_folder(weightsmith, tiny, tmp_path):
    sd15_folder(tiny, 1, tmp_path / "pipe")
    unet = load_file(tmp_path / "pipe" / "unet" / "diffusion_pytorch_model.safetensors")
    (tmp_path / "pipe" / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    names = sorted(unet)
    weight_map = {}
    for i, part in enumerate((names[:300], names[300:]), 1):
        file = f"diffusion_pytorch_model-{i:05}-of-00002.safetensors"
        save_file({n: unet[n] for n in part}, tmp_path / "pipe" / "unet" / file)
        weight_map |= {n: file for n in part}
    (tmp_path / "pipe" / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map}))
    assert "unet" in weightsmith("info", "pipe").stdout
    weightsmith("merge", "pipe", tiny("sd15", 2), "--alpha", "0.5", "-o", "out.safetensors")


def test_a_folder_without_components(weightsmith, tmp_path):
    (tmp_path / "pipe").mkdir()
    (tmp_path / "pipe" / "model_index.json").write_text("{}")
    assert "none of the folders" in weightsmith("info", "pipe", status=4).stderr
