"""Runs the merger of sd-webui-supermerger on the inputs of cases.py and keeps what it gives, in expected.safetensors.

    git clone https://github.com/hako-mikan/sd-webui-supermerger DIR
    .venv-parity/bin/python tests/parity/supermerger/generate.py --source DIR

Nothing of its code is kept: it is read from the commit that DIR is at and runs beside stand-ins for the web interface."""

import argparse
import contextlib
import io
import subprocess
import sys
import types
from pathlib import Path
from unittest import mock

import torch
from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).parent))

import cases  # noqa: E402

FILE = "scripts/mergers/mergers.py"
INTERFACE = [
    "launch", "modules", "modules.ui", "modules.shared", "modules.sd_models", "modules.processing", "PIL", "scripts.mergers",
    "modules.generation_parameters_copypaste", "scripts.mergers.model_util", "scripts.mergers.bcolors", "scripts", "tqdm",
]


def git(source, *arguments):
    return subprocess.run(["git", "-C", source, *arguments], check=True, capture_output=True, text=True).stdout


def merger(source):
    """The module, with models that are state dicts in memory."""
    stand_ins = {name: mock.MagicMock() for name in INTERFACE}
    stand_ins["tqdm"].tqdm = lambda items, **_: items if not isinstance(items, type({}.keys())) else Progress(items)
    module = types.ModuleType("mergers")
    module.__file__ = FILE
    with mock.patch.dict(sys.modules, {**stand_ins, "mergers": module}):
        exec(compile(git(source, "show", f"HEAD:{FILE}"), FILE, "exec"), module.__dict__)
    module.randdealer = lambda weights, _, __, ___, elements: (weights, elements)
    module.namefromhash = module.hashfromname = module.longhashfromname = str
    module.makemodelname = module.rwmergelog = module.overwrite_last_weights = lambda *_: ""
    module.json = types.SimpleNamespace(dumps=str)
    module.sd_vae.vae_dict = {}
    return module


class Progress(list):
    """A progress bar that shows none."""

    def update(self, _):
        pass


def ask(module, models, mode, calcmode, alpha=0.0, beta=0.0, gamma=0.0, weights=None, adjust="", elements=""):
    def load(name, *_):
        return {key: torch.from_numpy(array.copy()) for key, array in models[name].items()}

    module.load_model_weights_m = load
    with contextlib.redirect_stdout(io.StringIO()):
        error, _, _, merged, _ = module.smerge(
            ",".join(map(str, weights or [])), "", "a", "b", "c", alpha, beta, mode, calcmode, weights is not None, "", [],
            [], False, elements, adjust, "", gamma, "Off", [], "", [], {"seed": 0, "set": []})
    assert not error, error
    return {name: tensor.numpy() for name, tensor in merged.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, metavar="DIR", help="a clone of sd-webui-supermerger")
    source = parser.parse_args().source
    module = merger(source)
    expected = {}
    for name, (question, _) in cases.CASES.items():
        for key, array in ask(module, cases.inputs(), **question).items():
            expected[f"{name}|{key}"] = cases.sample(array)
    about = {"peer": "hako-mikan/sd-webui-supermerger", "commit": git(source, "rev-parse", "HEAD").strip(), "torch": torch.__version__}
    save_file(expected, Path(__file__).with_name("expected.safetensors"), metadata=about)


if __name__ == "__main__":
    main()
