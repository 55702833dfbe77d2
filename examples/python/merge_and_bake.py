"""Merge two models, bake a LoRA into the result and give it another VAE: one pass over the files.

Cells of a notebook (# %%); it needs photo, anime, detail and vae.safetensors in the working directory.
"""

# %%
import weightsmith as ws

mixed = ws.weighted_sum("photo.safetensors", "anime.safetensors", alpha={"default": 0.3, "te": 0})
model = ws.bake(mixed, {"detail.safetensors": 0.6})

# %% What will it do? Only headers are read.
plan = model.plan()
print(f"reads {plan.bytes_to_read / 1e9:.2f} GB, holds {plan.peak_memory / 1e6:.0f} MB")
print(model.to_recipe())

# %% One tensor of the result, now.
print(model["model.diffusion_model.out.2.bias"].numpy()[:3])


# %% All of it.
def show(progress: ws.Progress) -> None:
    print(f"\r{progress.bytes_done / max(1, progress.bytes_total):.0%}", end="", flush=True)


report = model.save("merged.safetensors", components={"vae": "vae.safetensors"}, overwrite=True, progress=show)
print(f"\n{report.outputs[0].path}: {report.seconds:.1f} s")
for step in report.steps:
    print(f"{step.name} changed {step.elements_changed:,} of {step.elements:,} elements")

# %% Is it what its recipe makes of its inputs?
print(ws.verify("merged.safetensors").checked)
