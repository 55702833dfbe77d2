"""At full width, under the true names: every module of every model, in every family and naming, goes somewhere."""

import json

import pytest

import adapters
import support

MODELS = ["sd15", "sd15-inpainting", "sd21", "sdxl", "sdxl-refiner", "sd3", "sd3.5-medium", "sd3.5-large", "flux1-dev", "flux1-schnell", "chroma",
          "qwen-image", "z-image", "lumina2", "wan-t2v-14b", "wan-i2v-14b", "auraflow", "pixart-sigma", "llama", "qwen3", "gemma3"]
# Of a model of each kind every pair; of the others each family and each naming once.
WHOLE = ["sd15", "sdxl", "flux1-dev"]
CASES = [(model, family, naming) for model in MODELS for family in adapters.FAMILIES for naming in adapters.NAMINGS
         if model in WHOLE or family == "lora" or naming == "kohya"]


@pytest.fixture(scope="session")
def full(tmp_path_factory, session_weightsmith):
    folder = tmp_path_factory.mktemp("full")
    made = {}

    def make(model):
        if model not in made:
            path = folder / f"{model}.safetensors"
            session_weightsmith("synth", model, "--sparse", "-q", "-o", path)
            made[model] = path
        return made[model]

    return make


@pytest.mark.parametrize("model, family, naming", support.sampled(CASES, 23))
def test_every_module_goes_somewhere(weightsmith, full, tmp_path, model, family, naming):
    base = full(model)
    header, _ = support.header_of(base)
    shapes, modules = adapters.shapes_of(adapters.weights_of(header), family, naming)
    assert modules > 20
    adapters.write_sparse(tmp_path / "lora.safetensors", shapes)
    plan = json.loads(weightsmith("bake", base, "--lora", "lora.safetensors", "--dry-run", "--json", "-o", "out.safetensors").stdout)
    (adapter,) = plan["adapters"]
    assert [adapter["elsewhere"], adapter["ignored"], adapter["unmatched"]] == [[], [], []]
    assert len({applied["module"] for applied in adapter["applied"]}) == modules
    (made_for,) = [adapters.FAMILIES[family](shape) for shape in [(8, 8)]]
    assert {applied["dora"] for applied in adapter["applied"]} == {"dora_scale" in made_for}
