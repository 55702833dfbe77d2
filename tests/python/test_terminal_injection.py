"""No control character of a file, name, recipe, argument or variable reaches a terminal or a log, from any command
and on either stream. Into a pipe goes the value of a key, and the path of an output, byte for byte."""

import json
import os
import pty
import shutil
import subprocess

import numpy as np
import pytest

import support
import torch_files as tf

ESCAPE = "\x1b]0;PWNED\x07\x1b[2J\x1b[31m"
EVIL = f"x{ESCAPE}\x7f\x9b31m\x85\u202e\u2066\ufeff\nweightsmith: fake\r\tx"
RAW = os.fsencode(EVIL) + b"\xff\xc2"  # no UTF-8, as a file may be called
FORBIDDEN = {*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200E, 0x2010), *range(0x2028, 0x202F),
             *range(0x2066, 0x206A), 0xFEFF} - {ord("\n"), ord("\t")}


def judge(said, what):
    text = said.decode("utf-8", "strict")
    found = sorted({hex(ord(c)) for c in text if ord(c) in FORBIDDEN})
    assert not found, f"{what}: {found} in {text[:2000]!r}"
    forged = [line for line in text.splitlines() if line.startswith("weightsmith: fake")]
    assert not forged, f"{what}: a line of its own in {text[:2000]!r}"


@pytest.fixture(scope="module")
def place(session_weightsmith, tiny, tmp_path_factory):
    """A folder of hostile files; names that stand for them in the cases."""
    folder = os.fsencode(tmp_path_factory.mktemp("hostile"))
    names = {key: os.path.join(folder, RAW + end) for key, end in {
        "a": b"a.safetensors", "b": b"b.safetensors", "lora": b"lora.safetensors", "recipe": b".yaml",
        "bad": b"bad.yaml", "torch": b".ckpt", "damaged": b"damaged.safetensors", "none": b"none.safetensors",
        "folder": b"folder", "other": b"other.safetensors"}.items()}
    base = support.read(tiny("sd15", 1)).tensors
    for key, seed in (("a", 1), ("b", 2)):
        tensors = support.random_like(base, seed)
        tensors[f"model.diffusion_model.{EVIL}.weight"] = np.full((4,), seed, np.float16)
        tensors[f"model_ema.{EVIL}"] = np.ones((2,), np.float16)
        support.write(os.fsdecode(names[key]), tensors, {EVIL: EVIL, "modelspec.title": EVIL, "title": EVIL, "ss_output_name": EVIL})
    stem = "lora_unet_mid_block_attentions_0_proj_in"
    shape = base["model.diffusion_model.middle_block.1.proj_in.weight"].shape
    lora = {f"{stem}.lora_down.weight": np.ones((2, *shape[1:]), np.float16),
            f"{stem}.lora_up.weight": np.ones((shape[0], 2, 1, 1), np.float16)}
    support.write(os.fsdecode(names["lora"]), lora | {f"{EVIL}.lora_down.weight": np.ones((2, 2), np.float16)},
                  {"ss_output_name": EVIL, "ss_tag_frequency": json.dumps({EVIL: {EVIL: 3}})})
    support.write(os.fsdecode(os.path.join(folder, b"lora.safetensors")), lora, {"ss_output_name": EVIL})
    support.write(os.fsdecode(names["other"]), {f"{EVIL}.a": np.ones((2,), np.float16), f"{EVIL}.b": np.ones((2,), np.float16)})
    shutil.copy(names["a"], os.path.join(folder, b"a.safetensors"))
    shutil.copy(names["b"], os.path.join(folder, b"b.safetensors"))
    with open(names["damaged"], "wb") as file:
        header = json.dumps({EVIL: {"dtype": "F16", "shape": [9], "data_offsets": [0, 2]}}).encode()
        file.write(len(header).to_bytes(8, "little") + header + b"\0\0")
    with open(names["torch"], "wb") as file:
        call = tf.Reduce(tf.Global("os", "system"), (EVIL,))
        file.write(tf.saved({EVIL: call}, {}))
    recipe = {"models": {"a": "a.safetensors", "b": "b.safetensors"},
              "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
              "output": {"model": "mix", "path": "out.safetensors", "metadata": {"title": EVIL, EVIL: EVIL}}}
    support.write_recipe(os.fsdecode(names["recipe"]), recipe)
    support.write_recipe(os.fsdecode(names["bad"]), {"models": {EVIL: EVIL, "a": EVIL}, EVIL: EVIL, "vars": {EVIL: EVIL},
                         "steps": {EVIL: {"op": EVIL, EVIL: EVIL}, "mix": {"op": "copy", "a": EVIL, "policy": {EVIL: EVIL}}}})
    os.mkdir(names["folder"])
    session_weightsmith("merge", "-q", os.path.join(folder, b"a.safetensors").decode(),
                        os.path.join(folder, b"b.safetensors").decode(), "-o", os.path.join(folder, b"mixed.safetensors").decode())
    return folder, names


# {name} is a hostile file, EVIL the hostile text itself.
CASES = """
architectures EVIL | assemble --like EVIL --unet {a} -o x.safetensors | assemble --like sd1 --unet {a} --vae {none} -o EVIL
bake a.safetensors --lora {lora} -o x.safetensors -f | bake {a} --lora lora.safetensors -o {folder}/x.safetensors --mkdir -f --no-sync
bake a.safetensors --lora EVIL | bake a.safetensors --lora lora.safetensors --allow-unmatched EVIL -n | bake {a} --lora lora.safetensors -n -v
bake {a} --lora lora.safetensors --lora-blocks EVIL -n | bake {a} --lora lora.safetensors --print-recipe
blocks {a} | blocks {a} --summary | blocks {a} --json | blocks {damaged} | blocks {none} | blocks {other}
completion EVIL | convert {a} --prune -o {folder}/c.safetensors -f -v | convert {torch} -o y.safetensors | convert {a} --components EVIL
convert {a} --layout EVIL | convert {a} --dtype EVIL | convert {a} --layout diffusers -o {folder}/pipe -f --files-from {none}
hash {a} | hash {a} --json --no-cache --progress json | hash {none} {folder} | help EVIL | info {a} | info {a} {b} {other} {damaged}
info {a} --json --tensors | info {a} --tensors | info {torch} | info {torch} --json | info {damaged} | info {folder} | info {none}
lora info {lora} | lora info {lora} --json | lora EVIL | lora info {none} | lora info {torch} | man EVIL
merge {a} {b} -o {folder}/m.safetensors -f --progress json | merge {a} {b} --op EVIL | merge {a} {b} --alpha EVIL | merge {a} {b} --param EVIL=EVIL
merge {a} {b} --alpha {{EVIL:1}} -o x.safetensors -f | merge {recipe} -f --report {folder}/r.json | merge {bad} | merge {recipe} --set EVIL=1
merge {recipe} --step EVIL | merge {recipe} --policy EVIL=EVIL | merge {a} {none} | merge {a} {other} -o x.safetensors -f | merge {a} {damaged}
merge {recipe} --print-recipe | merge {a} {b} --print-recipe | merge {a} {b} --vae {other} -o x.safetensors -f | merge {recipe} -n | merge {recipe} -n --json
merge EVIL | merge {a} {b} --presets {bad} -o x.safetensors | merge {a} {b} --EVIL | merge {a} {b} -o {folder} -n | merge {folder}
merge {recipe} --models {none} -n | merge {a} {a} -o x.safetensors -f | merge {a} {b} -o {none}/x.safetensors | merge {a} {b} --mbw EVIL
merge {a} {b} -o {folder}/m.safetensors -f --max-shard-size 1M | merge {a} {b} --rounding EVIL | merge {a} {b} --max-memory EVIL
meta {a} | meta {a} --json | meta {a} --get EVILEVIL | meta {a} --remove nothingEVIL | meta {damaged} | meta {none} | meta {a} --set EVIL=EVIL
ops EVIL | ops --EVIL | EVIL | plan {a} {b} | plan {recipe} | plan {recipe} --json | plan {bad} | plan {a} {other} | plan {a} {b} -v
scan {a} {torch} {damaged} | scan {torch} --json | scan {none} | schema EVIL | show {recipe} | show {recipe} --json | show {bad} | show {a}
show {none} | split {a} -o {folder}/parts -f | split {other} | split {none} | synth EVIL | synth sd15 --scale tiny -o {folder}/s.safetensors --force
synth sd15 --scale EVIL | synth sd15 --scale tiny -o {none}/s.safetensors | validate {a} {recipe} {bad} {damaged} {none} | validate {recipe} --no-files
verify {a} | verify {a} --json | verify {damaged} | verify {torch} | verify mixed.safetensors --model a={other} | verify {none}
verify mixed.safetensors --model EVIL=EVIL | verify mixed.safetensors --models {folder} --progress json
""".replace("\n", "|").split("|")
CASES = [case.strip() for case in CASES if case.strip()]


def words_of(case, names):
    words = []
    for word in case.split():
        encoded = word.encode()
        if word.startswith("{{"):
            encoded = encoded.replace(b"{{", b"{").replace(b"}}", b"}")
        else:
            for name, path in names.items():
                encoded = encoded.replace(b"{" + name.encode() + b"}", path)
        words.append(encoded.replace(b"EVIL", os.fsencode(EVIL)))
    return words


def run(session_weightsmith, words, folder, **environment):
    return subprocess.run([*map(os.fsencode, session_weightsmith.command()), *words], cwd=folder, capture_output=True,
                          env={**session_weightsmith.environment, **environment}, stdin=subprocess.DEVNULL, timeout=120, check=False)


def test_all_commands_are_driven(session_weightsmith):
    listed = session_weightsmith("completion", "fish").stdout
    commands = {line.split(" -a ")[1].split()[0] for line in listed.splitlines() if "__fish_use_subcommand" in line}
    assert commands == {case.split()[0] for case in CASES} - {"EVIL"}


@pytest.mark.parametrize("case", support.sampled(CASES, 4))
def test_nothing_reaches_a_log(case, session_weightsmith, place):
    folder, names = place
    result = run(session_weightsmith, words_of(case, names), folder)
    judge(result.stderr, case)
    assert b"unexpected:" not in result.stderr, result.stderr
    assert result.returncode >= 0
    prints_paths = case.split()[0] in ("merge", "bake", "convert", "split", "synth", "assemble")
    reports = {"-n", "--print-recipe", "--json"} & set(case.split())
    if not prints_paths or reports:
        judge(result.stdout, case)
    if "--json" in case and result.stdout:
        json.loads(result.stdout)


@pytest.mark.parametrize("case", [
    "merge {a} {b} -o {folder}/m.safetensors -f", "merge {recipe} -f", "bake {a} --lora lora.safetensors -o {folder}/x.safetensors -f",
    "convert {a} -o {folder}/c.safetensors -f", "split {a} -o {folder}/parts -f", "meta {a} --get title", "synth sd15 --scale tiny -o {other}.safetensors",
])
def test_nothing_reaches_a_terminal(case, session_weightsmith, place):
    folder, names = place
    main, terminal = pty.openpty()
    words = words_of(case, names)
    process = subprocess.Popen([*map(os.fsencode, session_weightsmith.command()), *words, "--progress", "off"], cwd=folder,
                               env={**session_weightsmith.environment, "NO_COLOR": "1"},
                               stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal)
    os.close(terminal)
    said = b""
    try:
        while block := os.read(main, 65536):
            said += block
    except OSError:
        pass  # the other end is closed
    os.close(main)
    assert process.wait(timeout=60) == 0, said
    judge(said.replace(b"\r\n", b"\n"), case)


def test_variables_of_the_environment_are_shown_as_text(session_weightsmith, place):
    folder, _ = place
    for name in ("WEIGHTSMITH_SIMD", "COLUMNS", "WEIGHTSMITH_MODELS", "XDG_CACHE_HOME", "HOME"):
        for words in ([b"ops"], [b"hash", b"a.safetensors"], [b"verify", b"mixed.safetensors"]):
            result = run(session_weightsmith, words, folder, **{name: EVIL})
            judge(result.stderr, name)
            judge(result.stdout, name)


def test_values_and_paths_keep_their_bytes_in_a_pipe(session_weightsmith, place):
    folder, names = place
    assert run(session_weightsmith, [b"meta", names["a"], b"--get", b"title"], folder).stdout == os.fsencode(EVIL) + b"\n"
    path = os.path.join(names["folder"], RAW + b".safetensors")
    result = run(session_weightsmith, [b"convert", b"a.safetensors", b"-o", path, b"-q", b"--mkdir", b"-f"], folder)
    assert result.stdout == path + b"\n", result.stderr


def test_json_says_the_same_characters(session_weightsmith, place):
    folder, names = place
    metadata = json.loads(run(session_weightsmith, [b"meta", names["a"], b"--json"], folder).stdout)
    assert metadata[EVIL] == EVIL
    entries = json.loads(run(session_weightsmith, [b"info", names["a"], b"--json", b"--tensors"], folder).stdout)["entries"]
    assert f"model.diffusion_model.{EVIL}.weight" in {entry["name"] for entry in entries}
    recipe = json.loads(run(session_weightsmith, [b"show", names["recipe"], b"--json"], folder).stdout)
    assert recipe["outputs"][0]["metadata"]["modelspec.title"] == EVIL
