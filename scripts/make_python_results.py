#!/usr/bin/env python3
"""Writes the dataclasses of the Python package from the schemas that the program prints of its results.

    scripts/make_python_results.py [--build build/release] [--check]
"""

import textwrap

import generated

TARGET = generated.ROOT / "python_bindings" / "weightsmith" / "_results.py"
# Schemas of what functions return, with the class of their outermost object: its title says what prints it.
RESULTS = {"info": "Info", "scan": "ScanResult", "verify": "Verification", "plan": "Plan", "report": "Report"}
WIDTH = 112
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}

HEAD = '''"""What functions return: the data that the command line prints with --json, by the same names. Made by
scripts/make_python_results.py from the tables of fields in recipes/jobs/; to change it, change those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
'''


class Classes:
    """Dataclasses by name, those that others are made of before them."""

    def __init__(self):
        self.docs = {}
        self.fields = {}  # of each class: name -> (type, documentation, whether it is always there)

    def add(self, name, schema):
        required = set(schema["required"])
        fields = {
            key: (self.type_of(value), value.get("description", ""), key in required)
            for key, value in schema["properties"].items()
        }
        self.fields[name] = self.merged(name, fields) if name in self.fields else fields
        self.docs[name] = schema["description"]
        return name

    def merged(self, name, fields):
        """Of an object that two results have: what only one of them knows is not always there."""
        both = {**self.fields[name], **fields}
        for key, (kind, doc, always) in both.items():
            before, after = self.fields[name].get(key), fields.get(key)
            assert before is None or after is None or before[0] == after[0], f"{name}.{key} has two types"
            both[key] = (kind, doc, bool(before and before[2] and after and after[2]))
        return both

    def type_of(self, schema):
        if "anyOf" in schema:
            return " | ".join(self.type_of(each) for each in schema["anyOf"])
        kind = schema["type"]
        if isinstance(kind, list):
            return " | ".join(SCALARS[each] for each in kind)
        if kind == "array":
            return f"list[{self.type_of(schema['items'])}]"
        if kind == "object" and "properties" in schema:
            return self.add(schema["title"], schema)
        if kind == "object":
            return f"dict[str, {self.type_of(schema['additionalProperties'])}]"
        return SCALARS[kind]


def outermost(schema):
    """The object that a result is, or is a list of."""
    if "$defs" in schema:
        (schema,) = schema["$defs"].values()
    return schema.get("items", schema)


def docstring(text):
    assert '"""' not in text and "\\" not in text, text
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    if lines[-1].endswith('"'):  # four quotes in a row would end it too early
        lines.append("")
    return textwrap.indent(f'"""{chr(10).join(lines)}"""\n', "    ")


def field_lines(name, kind, doc, always):
    if always:
        line = f"{name}: {kind}"
    elif kind.startswith(("list[", "dict[")):
        line = f"{name}: {kind} = field(default_factory={kind[:4]})"
    else:
        line = f"{name}: {kind.removesuffix(' | None')} | None = None"
    return f"    {line}\n" + (docstring(doc) if doc else "")


def dataclass(name, doc, fields):
    # Those with a default come last, as Python wants it.
    ordered = sorted(fields.items(), key=lambda item: not item[1][2])
    body = "".join(field_lines(key, *facts) for key, facts in ordered)
    return f"@dataclass(frozen=True)\nclass {name}:\n{docstring(doc)}\n{body}"


def module(ask):
    classes = Classes()
    for result, name in RESULTS.items():
        classes.add(name, outermost(ask("schema", result)))
    definitions = (dataclass(name, classes.docs[name], fields) for name, fields in classes.fields.items())
    return "\n\n".join([HEAD, *definitions])


if __name__ == "__main__":
    generated.main(__doc__, {TARGET: module})
