"""A node for ComfyUI: two checkpoints merged in memory, block by block if you like.

Copy this file into ComfyUI/custom_nodes/ and install weightsmith into the Python of ComfyUI. Nothing is written to
disk; "alpha" takes what a recipe takes on one line: 0.3, GRAD_V, or {"default": 0.3, "te": 0}.
"""

from __future__ import annotations

import json
from typing import Any

import comfy.sd  # type: ignore[import-not-found]
import folder_paths  # type: ignore[import-not-found]

import weightsmith as ws


def parse(alpha: str) -> Any:
    try:
        return json.loads(alpha)
    except json.JSONDecodeError:
        return alpha


class WeightsmithMerge:
    CATEGORY = "weightsmith"
    FUNCTION = "merge"
    RETURN_TYPES = ("MODEL", "CLIP", "VAE")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = folder_paths.get_filename_list("checkpoints")
        return {"required": {"a": (names,), "b": (names,), "alpha": ("STRING", {"default": "0.3"})}}

    def merge(self, a: str, b: str, alpha: str) -> tuple[Any, ...]:
        first, second = (folder_paths.get_full_path("checkpoints", name) for name in (a, b))
        merged = ws.weighted_sum(first, second, alpha=parse(alpha)).state_dict(framework="torch")
        return tuple(comfy.sd.load_state_dict_guess_config(merged)[:3])


NODE_CLASS_MAPPINGS = {"WeightsmithMerge": WeightsmithMerge}
NODE_DISPLAY_NAME_MAPPINGS = {"WeightsmithMerge": "Merge checkpoints (weightsmith)"}
