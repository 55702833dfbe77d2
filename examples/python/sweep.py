"""Try several weights and keep the best by a score of yours. It needs photo and anime.safetensors."""

# %%
import numpy as np

import weightsmith as ws

LAYER = "model.diffusion_model.out.2.weight"


# %% Put your own here: render a prompt and rate the picture, run a benchmark …
def score(path: str) -> float:
    with ws.open(path) as model:
        return -abs(float(np.std(model[LAYER].numpy().astype(np.float32))) - 0.02)


# %% The inputs are opened once; every candidate is a file of its own, and only the best stays.
best: tuple[float, float] | None = None
with ws.open("photo.safetensors") as photo, ws.open("anime.safetensors") as anime:
    for alpha in np.linspace(0.2, 0.8, 4):
        ws.weighted_sum(photo, anime, alpha=float(alpha)).save("candidate.safetensors", overwrite=True, sync=False)
        value = score("candidate.safetensors")
        print(f"alpha {alpha:.2f}: {value:.5f}")
        if best is None or value > best[0]:
            best = (value, float(alpha))

# %%
assert best is not None
ws.weighted_sum("photo.safetensors", "anime.safetensors", alpha=best[1]).save("best.safetensors", overwrite=True)
print(f"best: alpha {best[1]:.2f}")
