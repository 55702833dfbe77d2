#!/usr/bin/env python3
"""Writes the operators of the Python package from what the program says of itself.

    scripts/make_python_operators.py [--build build/release] [--check]
"""

import json
import keyword
import textwrap

import generated

TARGET = generated.ROOT / "python_bindings" / "weightsmith" / "_operators.py"
BY_HAND = {"bake", "stack"}  # functions of their own: weightsmith/_bake.py, _stack.py

HEAD = '''"""The operators. Made by scripts/make_python_operators.py from the declarations in merge/operators/; to change it,
change those.

On models (paths, open checkpoints, results of operators) an operator gives a Model, which is computed when it is asked
for. On dicts of arrays or of tensors of PyTorch it gives such a dict at once, on arrays and tensors one of their kind:
by the same kernels, with the same bytes. Values are computed in f32, and the result has the dtype of the leftmost
operand. Tensors of integers, booleans or complex numbers are a TypeError; in a dict, such buffers as position_ids, which
are the same in all operands, are copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from weightsmith._apply import apply as _apply  # an operand is called apply
from weightsmith._model import Model, ModelLike, Policy, Weights, Where
'''


def argument(parameter):
    """The parameter's name in Python, which has `lambda` for itself."""
    name = parameter["name"]
    return f"{name}_" if keyword.iskeyword(name) else name


def parameter_type(parameter):
    if parameter["type"] == "boolean":
        return "bool"
    if parameter["type"] == "word":
        return f"Literal[{', '.join(json.dumps(word) for word in parameter['words'])}]"
    if parameter["type"] == "seed":
        return "int"
    return "Weights" if parameter["by_place"] else "float"


def described(parameter):
    limits = [str(parameter[key]) for key in ("low", "high") if key in parameter]
    if len(limits) == 2:
        return f"{parameter['doc']} ({limits[0]} to {limits[1]})"
    if "low" in parameter:
        return f"{parameter['doc']} ({limits[0]} or more)"
    return f"{parameter['doc']} ({limits[0]} or less)" if limits else parameter["doc"]


def is_numbered(op):
    """Whether an entry of its list may have numbers of its own."""
    return bool(op["list"]["numbers"]) or any(parameter["by_entry"] for parameter in op["parameters"])


def entry_type(op, operand):
    weighted = op["list"]["weighted"]
    entry = f"tuple[{operand}, Weights]" if weighted else operand
    if is_numbered(op):
        entry += f" | tuple[{operand}, {'Weights, ' if weighted else ''}Mapping[str, Weights]]"
    return f"Sequence[{entry}]"


def signature(op, operand, result, body):
    """`operand` is the type of what is taken, `result` of what is given."""
    arguments = [f"{each['name']}: {operand}" for each in op["operands"] if each["required"]]
    if "list" in op:
        end = "" if op["list"]["required"] else " = ()"
        arguments.append(f"{op['list']['name']}: {entry_type(op, operand)}{end}")
    arguments += [f"{each['name']}: {operand} | None = None" for each in op["operands"] if not each["required"]]
    arguments.append("*")
    if "where" in op:
        arguments.append("where: Where")
    for parameter in op["parameters"]:
        kind = parameter_type(parameter)
        if parameter["required"]:
            arguments.append(f"{argument(parameter)}: {kind}")
        elif "default" in parameter:
            default = parameter["default"]
            shown = json.dumps(default) if isinstance(default, str) else repr(default)
            arguments.append(f"{argument(parameter)}: {kind} = {shown}")
        else:
            arguments.append(f"{argument(parameter)}: {kind} | None = None")
    arguments.append("policy: Policy | None = None")
    inside = "".join(f"    {argument},\n" for argument in arguments)
    return f"def {op['name']}(\n{inside}) -> {result}:{body}\n"


def paragraphs(text):
    return "\n\n".join(textwrap.fill(paragraph, 112) for paragraph in text.split("\n\n"))


def docstring(op):
    rows = [(each["name"], each["doc"]) for each in op["operands"]]
    if "list" in op:
        rows.append((op["list"]["name"], op["list"]["doc"]))
    if "where" in op:
        rows.append(("where", op["where"]))
    rows += [(argument(parameter), described(parameter)) for parameter in op["parameters"]]
    rows.append(("policy", 'Policies of this step, such as {"missing": "keep"}.'))
    parts = [op["summary"], textwrap.indent(op["formula"], "    "), paragraphs(op["doc"])]
    parts.append(textwrap.fill(f"For: {'; '.join(op['uses'])}.", 112))
    parts.append("\n".join(textwrap.fill(f"{name}: {doc}", 112, subsequent_indent="    ") for name, doc in rows))
    if op["source"]:
        parts.append(textwrap.fill(f"Source: {op['source']}", 112))
    text = "\n\n".join(part for part in parts if part)
    assert '"""' not in text and "\\" not in text, op["name"]
    return textwrap.indent(f'"""{text}\n"""', "    ")


def function(op):
    operands = ", ".join(f'"{each["name"]}": {each["name"]}' for each in op["operands"])
    entries = f'"{op["list"]["name"]}": {op["list"]["name"]}' if "list" in op else ""
    where = ['"where": where'] if "where" in op else []
    parameters = ", ".join([*where, *(f'"{each["name"]}": {argument(each)}' for each in op["parameters"])])
    weighted = ", weighted=True" if "list" in op and op["list"]["weighted"] else ""
    numbered = ", numbered=True" if "list" in op and is_numbered(op) else ""
    deltas = [each["name"] for each in op["operands"] if each["kind"] == "delta"]
    differences = f", differences={deltas!r}".replace("'", '"') if deltas else ""
    gives = ", gives_difference=True" if op["result"] == "delta" else ""
    optional = [each["name"] for each in op["operands"] if not each["required"]]
    left_out = f", optional={json.dumps(optional)}" if optional else ""
    extra = f"{weighted}{numbered}{differences}{left_out}{gives}"
    call = f'    return _apply("{op["name"]}", {{{operands}}}, {{{entries}}}, {{{parameters}}}, policy{extra})'
    return (
        "@overload\n"
        + signature(op, "ModelLike", "Model", " ...")
        + "@overload\n"
        + signature(op, "Mapping[str, Any]", "dict[str, Any]", " ...")
        + "@overload\n"
        + signature(op, "Any", "Any", " ...")
        + signature(op, "Any", "Any", f"\n{docstring(op)}\n{call}")
    )


def module(ask):
    ops = [op for op in ask("ops", "--json") if op["name"] not in BY_HAND]
    names = "".join(f'    "{op["name"]}",\n' for op in ops)
    return "\n\n".join([HEAD.rstrip() + f"\n\n__all__ = [\n{names}]\n", *(function(op) for op in ops)])


if __name__ == "__main__":
    generated.main(__doc__, {TARGET: module})
