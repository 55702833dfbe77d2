#!/usr/bin/env python3
"""Writes the reference pages of operators, architectures and adapter families from what the program says
of itself.

    scripts/make_reference.py [--build build/release] [--check]
"""

import generated

DOCS = generated.ROOT / "docs"

OPERATORS = """# Operators

*This page is made by `scripts/make_reference.py` from the declarations in `merge/operators/`; to
change it, change those.* `weightsmith ops NAME` shows the same on the command line, `weightsmith ops --like "style
transfer"` finds by purpose, and [choosing.md](choosing.md) says which is for what, and with which evidence.

A **weight** is a model, a **delta** a difference of two; **K** stands for either, the same for all
operands of a step and for what it gives. Products and sums are rounded one by one, in
the order in which the formula is written. A parameter marked *by place* takes a number, a variable,
or [weights by place](recipes.md#weights-by-place).

All merge methods of the newest mergekit (0.1.5), sd-mecha (1.1.8) and meh (0.9.5) and the calc modes of SuperMerger are here,
but for those below; the tests read the first three's registries. Where a name differs:

| theirs | ours |
|---|---|
| mergekit's `linear`, `nuslerp`, `dare_*`, `della*` | the same names, with the words that their pages name for its rules |
| meh's `weighted_subtraction` | [linear](#linear) with the weights `1/(1 - alpha*beta)` and `-alpha*beta/(1 - alpha*beta)` |
| meh's `ties_add_difference`; sd-mecha's `ties_sum`, `ties_sum_extended` | [ties](#ties) with `trim: mecha, sign: majority`, and `combine` |
| sd-mecha's `ties_sum_with_dropout` | [ties](#ties) of models that [dare_linear](#dare_linear) or [della_linear](#della_linear) has thinned |
| sd-mecha's `slerp`; `clamp` with `stiffness` | [slerp](#slerp) with `length: blend`; [clamp](#clamp) with `stiffness` |
| `add_opposite_mask`, `add_strict_opposite_mask`, `train_difference_mask` | [add_opposite](#add_opposite), with `where: opposite`; [train_difference](#train_difference) |
| `add_cosine_a`, `add_cosine_b` | [cosine_a](#cosine_a), [cosine_b](#cosine_b) with `scope: tensor` |
| `n_average`, `perpendicular_component` | [average](#average), [perpendicular](#perpendicular) |
| `exchange_ema` | [ema](#ema) |
| `get_rank_from_ratio` | [truncate_rank](#truncate_rank) with `ratio` |
| `pick_component`, `omit_component`, `omit_non_finite`, `cast` | the `components`, policies and dtypes of [outputs](recipes.md) |
| `convert_*` between namings; between blocks and tensors | namings are known by themselves; [weights by place](recipes.md#weights-by-place) |
| `convert_*` of LoRAs to a base | [bake](#bake) |

Not here are:

- `truncate_kronecker`, `extract_kohya_lora`, `extract_kohya_lokr`, `extract_lycoris_lora` and `extract_lycoris_lokr`: they make
  adapters, and outputs are models here.
- `balance_attention`: of one model it makes queries and keys of a head equally large in every direction, and values and outputs
  likewise, which alters nothing that the model computes. [align_attention](#align_attention) is not that: it turns the heads of
  one model towards those of another.
- Chattiori's `SIG` and `FWM`. `SIG` is no blend: the weights of sigmoid(4*alpha)*(a + b) - sigmoid(alpha)*a do not add up to 1 (at
  alpha 0 it is half of b), and its code fails on tensors. `FWM` gives a difference the mean and spread of the model before it
  adds it: each tensor's change has then nothing to do with how much was learned there. [add_difference](#add_difference) adds it
  as it is.
- `randperm`, a random permutation for tests of `rebasin`; `stack`, `get_dtype` and `get_device`, parts of sd-mecha's graphs
  that are no merges ([stack](#stack) is another thing).
"""

ARCHITECTURES = """# Architectures

*This page is made by `scripts/make_reference.py` from the declarations in `core/model/architectures/`; to
change it, change those.* `weightsmith architectures` shows the same on the command line, and
[checkpoints.md](checkpoints.md) says what can be done with them.

Parameters are those of published files at full size. *Lists* are the lengths of block weights in the
community's order. Of the language models any size is known; the one here is an example.
"""


FAMILIES = """# Families of adapters

*This page is made by `scripts/make_reference.py` from the declarations in `merge/adapters/families/`; to
change it, change those.* `weightsmith lora families` shows the same on the command line, and
[adapters.md](adapters.md) says what can be done with them.

W is the weight, b the bias, s the scale (alpha / rank). Any family may have DoRA's magnitudes on top.
Families that are marked read the weight, and so can be baked and not added elsewhere.
"""


def default(parameter):
    if "default" in parameter:
        value = parameter["default"]
        if isinstance(value, str):
            return value
        return str(value).lower() if isinstance(value, bool) else f"{value:g}"
    return "required" if parameter["required"] else "optional"


def described(parameter):
    facts = [" or ".join(parameter["words"]) if "words" in parameter else parameter["type"]]
    if "low" in parameter or "high" in parameter:
        facts.append(f"{parameter.get('low', '-∞')} to {parameter.get('high', '∞')}")
    if parameter["by_place"]:
        facts.append("by place")
    if parameter["by_entry"]:
        facts.append("also of an entry")
    return ", ".join(facts)


def section(op):
    rows = [(o["name"], o["kind"], "required" if o["required"] else "optional", o["doc"]) for o in op["operands"]]
    if "list" in op:
        entries = op["list"]
        kind = f"list of {entries['kind']}" + (", weighted" if entries["weighted"] else "")
        rows.append((entries["name"], kind, "required" if entries["required"] else "optional", entries["doc"]))
        rows += [(f"{entries['name']}: {p['name']}", described(p), default(p), p["doc"]) for p in entries["numbers"]]
    if "where" in op:
        rows.append(("where", "a selection of tensors", "required", op["where"]))
    rows += [(p["name"], described(p), default(p), p["doc"]) for p in op["parameters"]]
    lines = [f"## {op['name']}", "", op["summary"], "", "```", op["formula"], "```", "", op["doc"], ""]
    lines += [f"For: {'; '.join(op['uses'])}.", ""]
    lines += [f"Gives: {op['result']}.", "", "| key | takes | default | |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {value} | {doc} |" for name, kind, value, doc in rows]
    lines += ["", "```yaml", op["example"].rstrip(), "```"]
    if op["source"]:
        lines += ["", f"After: {op['source']}."]
    return "\n".join(lines)


def operators_page(ask):
    operators = ask("ops", "--json")
    index = "\n".join(f"- [{op['name']}](#{op['name']}): {op['summary']}" for op in operators)
    return OPERATORS + "\n" + index + "\n\n" + "\n\n".join(map(section, operators)) + "\n"


def architectures_page(ask):
    lines = [ARCHITECTURES, "| architecture | variant | component: parameters | layouts | lists |", "|---|---|---|---|---|"]
    for architecture in ask("architectures", "--json"):
        for number, variant in enumerate(architecture["variants"]):
            parts = ", ".join(f"{name}: {part['parameters']:,}" for name, part in variant["components"].items())
            first = [f"`{architecture['id']}` {architecture['title']}", ", ".join(architecture["layouts"]),
                     ", ".join(map(str, architecture["lists"]))] if number == 0 else ["", "", ""]
            lines.append(f"| {first[0]} | {variant['name']} | {parts} | {first[1]} | {first[2]} |")
    return "\n".join(lines) + "\n"


def families_page(ask):
    lines = [FAMILIES, "| family | result | tensors of a module | reads the weight | after |", "|---|---|---|---|---|"]
    for family in ask("lora", "families", "--json"):
        reads = "yes" if family["reads_weight"] else ""
        lines.append(f"| {family['title']} | `{family['formula']}` | {family['tensors']} | {reads} | {family['source']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    generated.main(__doc__, {
        DOCS / "operators.md": operators_page,
        DOCS / "architectures.md": architectures_page,
        DOCS / "adapter_families.md": families_page,
    })
