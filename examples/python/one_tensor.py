"""Read one tensor of a file, however large it is: python one_tensor.py FILE [TENSOR]"""

# %%
import sys
import time

import weightsmith as ws

path = sys.argv[1] if len(sys.argv) > 1 else "photo.safetensors"

# %% The header alone is read; a tensor is pages of the file, and only those that are touched are read.
start = time.perf_counter()
with ws.open(path) as model:
    name = sys.argv[2] if len(sys.argv) > 2 else min(model, key=lambda name: model[name].nbytes)
    tensor = model[name]
    first = tensor.numpy().ravel()[:4]
    print(f"{model.architecture}, {len(model)} tensors, {sum(model[each].nbytes for each in model) / 1e9:.2f} GB")
print(f"{name} {tensor.dtype} {list(tensor.shape)}: {first} …")
print(f"{(time.perf_counter() - start) * 1000:.1f} ms")
