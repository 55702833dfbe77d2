"""Texts of YAML and JSON, most of which are no recipes."""

import json

from .making import kind


@kind(100_000, status=2)
def nodes_of_one_line_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x: [" + '"a",' * n + "b]")
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def nodes_of_one_line_of_unicode(folder, n):
    (folder / "recipe.yaml").write_text("x: [" + '"ä",' * n + "b]")
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def lines_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x:\n" + "- a\n" * n)
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def keys_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x: {" + ",".join(f"k{i}: 1" for i in range(n)) + "}")
    return ["validate", "recipe.yaml"]


@kind(100_000, status=2)
def nodes_of_one_line_of_json(folder, n):
    (folder / "recipe.json").write_text(json.dumps({"x": ["a"] * n}))
    return ["validate", "recipe.json"]


@kind(20_000, status=2)
def keys_that_stand_twice(folder, n):
    (folder / "recipe.yaml").write_text("x: {" + ",".join("k: 1" for _ in range(n)) + "}")
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def comments_of_c(folder, n):
    (folder / "recipe.yaml").write_text("x: {\n" + "a: b // c\n" * n)
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def comments_of_c_in_one_line(folder, n):
    (folder / "recipe.yaml").write_text("x: {" + "a // b, ' ', " * n + "}}")
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def slashes_of_metadata(folder, n):
    (folder / "recipe.yaml").write_text("x: {metadata: {a: " + "b // c " * n + "}")
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def backslashes_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text('x: ["' + "C:\\models" * n + '", ' + '"C:\\m", ' * n + "]")
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def backslashes_of_json(folder, n):
    (folder / "recipe.json").write_text('{"x": ["C:' + '\\"' * n + '", ' + '"C:\\m", ' * n + "]}")
    return ["validate", "recipe.json"]


@kind(200_000, status=2)
def trailing_commas_of_json(folder, n):
    (folder / "recipe.json").write_text("{" + '"x": [1,], // y\n' * n + "}")
    return ["validate", "recipe.json"]


@kind(5_000, status=2)
def anchors_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x: [" + ",".join(f"&a{i} {i}, *a{i}" for i in range(n)) + "]")
    return ["validate", "recipe.yaml"]
