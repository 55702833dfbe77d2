"""Recipes that are wrong in what they say, not in how: each is repaired as the message says, and is valid then.

A case is the part of a recipe that is wrong, words of the message, and the same part repaired. Every repair that
the message spells out stands in the message.
"""

import json

import numpy as np
import pytest

import support

MODELS = "models: {photo: a.safetensors, anime: b.safetensors}\n"
ADAPTERS = "models: {photo: a.safetensors}\nadapters: {detail: lora.safetensors}\n"
STEP = "steps:\n  mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.3}\n"
OUTPUT = "output: {model: mix, path: mix.safetensors}\n"


def step(arguments):
    return f"{MODELS}steps:\n  mix: {arguments}\n{OUTPUT}"


def alpha(value):
    return step(f"{{op: weighted_sum, a: photo, b: anime, alpha: {value}}}")


def bake(entry, tables=ADAPTERS):
    return f"{tables}steps:\n  mix: {{op: bake, model: photo, {entry}}}\n{OUTPUT}"


LINEAR = "of: [{model: photo, weight: 0.5}, {model: anime, weight: 0.7}]"

# Broken, what the message holds, repaired; all without a first line.
CASES = {
    "no output": (MODELS + STEP, ["the recipe has no output", "output: {model: mix, path: mix.safetensors}"],
                  MODELS + STEP + OUTPUT),
    "lerp with t": (step("{op: lerp, a: photo, b: anime, t: 0.3}"), ["It is called weighted_sum here", "alpha: 0.3"],
                    alpha(0.3)),
    "names in a text": (step('{op: average, models: "photo, anime"}'), ["of: [photo, anime]"],
                        step("{op: average, of: [photo, anime]}")),
    "weights in a list": (step("{op: linear, models: [photo, anime], weights: [0.5, 0.7], normalize: yes}"),
                          [LINEAR, "Write true"], step(f"{{op: linear, {LINEAR}, normalize: true}}")),
    "weights beside the list": (step("{op: linear, of: [photo, anime], weights: [0.5, 0.7]}"), [LINEAR],
                                step(f"{{op: linear, {LINEAR}}}")),
    "weights as a mapping": (step("{op: linear, of: {photo: 0.5, anime: 0.7}}"), [LINEAR], step(f"{{op: linear, {LINEAR}}}")),
    "nested rows": (alpha("{default: 0.3, unet: {default: 0.5, encoder: 0.2}}"),
                    ["the row 'unet' takes a number; rows do not nest", "unet: 0.5, unet.in: 0.2"],
                    alpha("{default: 0.3, unet: 0.5, unet.in: 0.2}")),
    "rows in a list": (alpha("[{IN00: 0.5}, {IN01: 0.2}]"), ["{default: 0, IN00: 0.5, IN01: 0.2}"],
                       alpha("{default: 0, IN00: 0.5, IN01: 0.2}")),
    "an adapter's path in the step": (
        bake('adapters: ["lora.safetensors:0.6"]', "models: {photo: a.safetensors}\n"),
        ["there is no adapter 'lora.safetensors'", "adapters: {lora: lora.safetensors}", '"lora:0.6"'],
        bake('adapters: ["lora:0.6"]', "models: {photo: a.safetensors}\nadapters: {lora: lora.safetensors}\n")),
    "adapters in a list": (bake("adapters: [detail]", "models: {photo: a.safetensors}\nadapters: [lora.safetensors]\n"),
                           ["adapters: {detail: lora.safetensors}"], bake("adapters: [detail]")),
    "a misspelled adapter": (bake('adapters: ["detial:0.6"]'), ["there is no adapter 'detial'. Did you mean 'detail'?"],
                             bake('adapters: ["detail:0.6"]')),
    "an adapter and a space": (bake("adapters: [detail: 0.6]"), ['Write "detail:0.6"'], bake('adapters: ["detail:0.6"]')),
    "loras": ("models: {photo: a.safetensors}\nloras: {detail: lora.safetensors}\n"
              f"steps:\n  mix: {{op: bake, model: photo, loras: [detail]}}\n{OUTPUT}",
              ["adapters: {detail: lora.safetensors}", "adapters: [detail]"], bake("adapters: [detail]")),
    "bake of a": (f"{ADAPTERS}steps:\n  mix: {{op: bake, a: photo, adapters: [detail]}}\n{OUTPUT}", ["model: photo"],
                  bake("adapters: [detail]")),
    "mbw": (step("{op: weighted_sum, a: photo, b: anime, mbw: GRAD_V}"), ["alpha: GRAD_V"], alpha("GRAD_V")),
    "weights beside alpha": (step("{op: weighted_sum, a: photo, b: anime, alpha: 0.3, weights: {IN00: 0.5}}"),
                             ["alpha: {default: 0.3, IN00: 0.5}"], alpha("{default: 0.3, IN00: 0.5}")),
    "a base that is not there": (step("{op: add_difference, a: photo, b: anime, c: base, alpha: 1}"),
                                 ["models: {base: FILE.safetensors}", "Or write one of anime, photo."],
                                 step("{op: add_difference, a: photo, b: anime, c: photo, alpha: 1}")),
    "steps in a list": (f"{MODELS}steps:\n  - {{name: mix, op: weighted_sum, a: photo, b: anime, alpha: 0.3}}\n{OUTPUT}",
                        ["steps: {mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.3}}"], alpha(0.3)),
    "models in a list": (f"models:\n  - a.safetensors\n  - b.safetensors\n{STEP}{OUTPUT}",
                         ["models: {photo: a.safetensors, anime: b.safetensors}"], alpha(0.3)),
    "models misspelled": (f"modles: {{photo: a.safetensors, anime: b.safetensors}}\n{STEP}{OUTPUT}",
                          ["a recipe has no key 'modles'. Did you mean 'models'?"], alpha(0.3)),
    "models without anything": (f"models:\n{STEP}{OUTPUT}", ["models has no value", "photo: photo.safetensors"], alpha(0.3)),
    "a step under a name of its own": (
        f"{MODELS}merge: {{op: weighted_sum, a: photo, b: anime, alpha: 0.3}}\n{OUTPUT}",
        ["steps: {mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.3}}"], alpha(0.3)),
    "the name of a model": (f"{MODELS}steps:\n  photo: {{op: copy, a: anime}}\n{OUTPUT}", ["'photo' is the name of a model"],
                            f"{MODELS}steps:\n  mix: {{op: copy, a: anime}}\n{OUTPUT}"),
    "method": (step("{method: weighted_sum, a: photo, b: anime, alpha: 0.3}"), ["op: weighted_sum"], alpha(0.3)),
    "a file as a file": (f"models: {{photo: {{file: a.safetensors}}, anime: b.safetensors}}\n{STEP}{OUTPUT}",
                         ["path: a.safetensors"],
                         f"models: {{photo: {{path: a.safetensors}}, anime: b.safetensors}}\n{STEP}{OUTPUT}"),
    "a Cyrillic a": (step("{op: weighted_sum, \u0430: photo, b: anime, alpha: 0.3}"), ["a: photo"], alpha(0.3)),
    "output and outputs": (
        f"{MODELS}{STEP}{OUTPUT}outputs:\n  - {{model: photo, path: p.safetensors}}\n",
        ["outputs: [{model: mix, path: mix.safetensors}, {model: photo, path: p.safetensors}]"],
        f"{MODELS}{STEP}outputs: [{{model: mix, path: mix.safetensors}}, {{model: photo, path: p.safetensors}}]\n"),
    "a sum with a variable": (f"vars: {{s: 0.4}}\n{alpha('1 - $s')}", ["A recipe computes nothing"],
                              f"vars: {{s: 0.4}}\n{alpha('$s')}"),
    "a variable in braces": (f"vars: {{s: 0.4}}\n{alpha('{s}')}", ["Write $s"], f"vars: {{s: 0.4}}\n{alpha('$s')}"),
    "a number with a letter": (alpha("0.3f"), ["must be a number, not '0.3f'", "Write 0.3"], alpha(0.3)),
    "a typographic minus": (alpha("\u22120.3"), ["Write -0.3"], alpha(-0.3)),
    "out of range": (alpha(30), ["must be between -10 and 10, not 30"], alpha(0.3)),
    "IN12": (alpha("{default: 0.3, IN12: 0}"), ["no tensor is at 'IN12'", "Blocks are counted from 0: IN00 to IN11."],
             alpha("{default: 0.3, IN11: 0}")),
    "te2": (alpha("{default: 0.3, te2: 0}"), ["no tensor is at 'te2'", "= te1"], alpha("{default: 0.3, te1: 0}")),
    "the encoder of a UNet": (alpha("{default: 0.3, unet.encoder: 0}"), ["no tensor is at 'unet.encoder'"],
                              alpha("{default: 0.3, unet.in: 0}")),
    "input_blocks": (alpha('{default: 0.3, "input_blocks.0-5": 0}'), ["Did you mean 'IN00-IN05'?"],
                     alpha("{default: 0.3, IN00-IN05: 0}")),
    "middle_block": (alpha("{default: 0.3, middle_block: 0}"), ["Did you mean 'M00'?"], alpha("{default: 0.3, M00: 0}")),
    "a part of a name": (alpha("{default: 0.3, attn: 0}"), ["unknown place 'attn'", '"/attn/"'],
                         alpha('{default: 0.3, "/attn/": 0}')),
    "a pattern of a shell": (alpha('{default: 0.3, "*attn*": 0}'), ['"/attn/"'], alpha('{default: 0.3, "/attn/": 0}')),
    "no default": (alpha("{IN00: 0.5}"), ["no row of 'alpha' matches: ", "default: 0"],
                   alpha("{IN00: 0.5, default: 0}")),
    "another architecture": (f"models: {{photo: a.safetensors, anime: xl.safetensors}}\n{STEP}{OUTPUT}",
                             ["weights of different architectures do not mix", "models of one architecture"], alpha(0.3)),
    "an adapter of another architecture": (
        bake("adapters: [detail]", "models: {photo: xl.safetensors}\nadapters: {detail: lora.safetensors}\n"),
        ["adapter 'detail'", "fits the architecture that it was trained for"], bake("adapters: [detail]")),
    "a model as an adapter": (bake("adapters: [detail]", "models: {photo: a.safetensors}\nadapters: {detail: b.safetensors}\n"),
                              ["holds no adapter", "a model stands under 'models'"], bake("adapters: [detail]")),
    "no folder": (f"{MODELS}{STEP}output: {{model: mix, path: out/mix.safetensors}}\n", ["--mkdir"], alpha(0.3)),
    "an output that exists": (f"{MODELS}{STEP}output: {{model: mix, path: xl.safetensors}}\n",
                              ["already exists", "--force"], alpha(0.3)),
    "an output that is an input": (f"{MODELS}{STEP}output: {{model: mix, path: a.safetensors}}\n",
                                   ["is the input", "Write to another name"], alpha(0.3)),
    "a file that is not there": (f"models: {{photo: a.safetensors, anime: bb.safetensors}}\n{STEP}{OUTPUT}",
                                 ["no such file", "b.safetensors"], alpha(0.3)),
}

STATUS = {"IN12": 3, "te2": 3, "the encoder of a UNet": 3, "input_blocks": 3, "no default": 3, "another architecture": 3,
          "an adapter of another architecture": 3, "a model as an adapter": 4, "a file that is not there": 4}

# One cause, one message; the others have as many as they have faults.
SEVERAL = {"lerp with t": 2, "loras": 2, "weights in a list": 2}


@pytest.fixture
def files(tmp_path, tiny):
    for name, source in (("a", tiny("sd15", 1)), ("b", tiny("sd15", 2)), ("xl", tiny("sdxl", 1))):
        (tmp_path / f"{name}.safetensors").symlink_to(source)
    factors = {f"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_{part}.weight": np.ones(shape, np.float16)
               for part, shape in (("down", (4, 8)), ("up", (8, 4)))}
    support.write(tmp_path / "lora.safetensors", factors)
    return tmp_path


def write(folder, text):
    (folder / "r.yaml").write_text("weightsmith: 1\n" + text, encoding="utf-8")


@pytest.mark.parametrize("name", support.sampled(CASES, 3))
def test_every_fault_has_one_message_with_its_place(weightsmith, files, name):
    broken, words, repaired = CASES[name]
    write(files, broken)
    status = STATUS.get(name, 2)
    said = weightsmith("validate", "r.yaml", status=status).stderr
    for part in words:
        assert part in said, said
    (verdict,) = json.loads(weightsmith("validate", "--json", "r.yaml", status=status).stdout)
    errors = [problem for problem in verdict["diagnostics"] if problem["severity"] == "error"]
    assert len(errors) == SEVERAL.get(name, 1), said
    for problem in errors:
        assert problem["file"] == "r.yaml" and problem["line"] > 0 and problem["column"] > 0, problem
        assert f"r.yaml:{problem['line']}:{problem['column']}: error: " in said
    assert verdict["message"] == "" and verdict["status"] == status
    write(files, repaired)
    assert "error" not in weightsmith("validate", "r.yaml").stderr


@pytest.mark.parametrize("name", ["IN12", "no default", "another architecture", "a file that is not there", "no output"])
def test_merge_says_the_same_as_validate(weightsmith, files, name):
    write(files, CASES[name][0])
    said = [weightsmith(*command, "r.yaml", status=STATUS.get(name, 2)).stderr for command in (["validate"], ["merge"])]
    first = [next(line for line in text.splitlines() if "error: " in line) for text in said]
    assert first[0].removeprefix("weightsmith: ") == first[1].removeprefix("weightsmith: ")


def test_an_unknown_operator_hides_nothing(weightsmith, tmp_path):
    write(tmp_path, step("{op: weightedsum, a: photo, b: anine, alfa: 0.3}"))
    said = weightsmith("validate", "--no-files", "r.yaml", status=2).stderr
    for words in ("Did you mean 'weighted_sum'?", "Did you mean 'anime'?", "Did you mean 'alpha'?"):
        assert words in said
    write(tmp_path, step("{op: Weighted sum, A: photo, B: anime, M: 0.3}"))
    said = weightsmith("validate", "--no-files", "r.yaml", status=2).stderr
    for words in ("'weighted_sum'", "Did you mean 'a'?", "Did you mean 'b'?", "Write alpha: 0.3"):
        assert words in said, said


def test_a_step_alone_gets_its_recipe(weightsmith, tmp_path):
    (tmp_path / "r.yaml").write_text("weightsmith: 1\nop: weighted_sum\na: a.safetensors\nb: b.safetensors\nalpha: 0.3\noutput: mix.safetensors\n")
    said = weightsmith("validate", "--no-files", "r.yaml", status=2).stderr
    assert said.count("error: ") == 1
    recipe = "\n".join(line[6:] for line in said.splitlines() if line.startswith("      "))
    (tmp_path / "r.yaml").write_text(recipe)
    assert "models: {a: a.safetensors, b: b.safetensors}" in recipe
    weightsmith("validate", "--no-files", "r.yaml")


MERGEKIT = [
    "arcee_fusion", "breadcrumbs", "breadcrumbs_ties", "dare_linear", "dare_ties", "della", "della_linear", "karcher", "linear",
    "model_stock", "multislerp", "nearswap", "nuslerp", "passthrough", "ram", "ramplus_tl", "sce", "slerp", "task_arithmetic", "ties",
]


@pytest.mark.parametrize("method", MERGEKIT)
def test_the_recipe_for_a_configuration_of_mergekit_is_valid(weightsmith, tmp_path, method):
    (tmp_path / "r.yaml").write_text(f"models:\n  - model: a/b\n  - model: c/d\nmerge_method: {method}\n")
    said = weightsmith("validate", "--no-files", "r.yaml", status=2).stderr
    assert "not here yet" not in said and f"op: {'stack' if method == 'passthrough' else method}," in said
    (tmp_path / "r.yaml").write_text("\n".join(line[6:] for line in said.splitlines() if line.startswith("      ")))
    weightsmith("validate", "--no-files", "r.yaml")


def test_a_list_given_for_a_variable_is_one_number(weightsmith, tmp_path):
    write(tmp_path, "vars: {w: 0.5}\n" + alpha("$w"))
    said = weightsmith("validate", "--no-files", "r.yaml", "--set", "w=0.2,0.4", status=2).stderr
    assert "Write one number, such as 0.2, or a list." in said
    weightsmith("validate", "--no-files", "r.yaml", "--set", "w=0.2")
