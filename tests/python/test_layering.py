"""The layers point one way, and every third-party library has its doors."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["core", "merge", "recipes", "cli"]  # each sees itself and those before it
TOPS = ["cli", "python_bindings"]  # nobody sees them, nor they each other
PUBLIC = ROOT / "include" / "weightsmith"
# Public headers -> the folders whose headers may include them, beside recipes/api, which implements them: values that the
# inside uses as they are.
VALUES = {"error.h": "core/base/", "version.h": "core/base/", "tensor.h": "core/tensor/"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# Inside a layer: each folder sees itself, those before it and what lies beside them. Folders of one rank do not see each
# other.
INNER = {
    "core": [["base"], ["io"], ["tensor"], ["formats"], ["model"], ["synth"]],
    "merge": [["program"], ["operator.h"], ["operator.cc"], ["arithmetic"], ["operators", "adapters"],
              ["expression"], ["plan"], ["run"]],
}

# Headers of a library -> the files (prefixes of their paths) that may include them.
DOORS = {
    "hwy/": ["core/base/simd", "core/tensor/codec", "core/io/hash", "core/io/xxh3", "merge/adapters/bake_tile",
             "merge/adapters/low_rank", "merge/program/"],
    "tbb/": ["merge/run/computation"],
    "oneapi/": ["merge/run/computation"],
    "re2/": ["core/base/matcher"],
    "yaml-cpp/": ["recipes/source"],
    "boost/": ["cli/flags"],
    "nanobind/": ["python_bindings/"],
    "openssl/": ["core/io/"],
    "xxhash.h": ["core/io/"],
    "xxh3.h": ["core/io/"],
}
THIRD_PARTY = (*DOORS, "nlohmann/", "fmt/")


def source_files():
    for layer in [*LAYERS, "python_bindings"]:
        for path in sorted((ROOT / layer).rglob("*")):
            if path.suffix in (".cc", ".h"):
                yield layer, path


def public_headers():
    return sorted(PUBLIC.glob("*.h"))


def includes(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def test_no_layer_includes_one_above_it():
    wrong = []
    for layer, path in source_files():
        below = LAYERS if layer in TOPS else LAYERS[: LAYERS.index(layer) + 1]
        allowed = [other for other in below if other not in TOPS] + [layer]
        for mark, name in includes(path):
            first = name.split("/")[0]
            if mark == '"' and first in {*LAYERS, *TOPS} and first not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert wrong == []


def test_no_folder_includes_one_above_it():
    wrong = []
    for layer, path in source_files():
        ranks = {folder: rank for rank, folders in enumerate(INNER.get(layer, [])) for folder in folders}
        own = path.relative_to(ROOT / layer).parts[0]
        for mark, name in includes(path):
            first, _, rest = name.partition("/")
            other = rest.split("/")[0]
            if mark != '"' or first != layer or own == other or own not in ranks:
                continue
            if other not in ranks or ranks[other] >= ranks[own]:
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert wrong == []


def test_every_file_of_a_layer_stands_in_a_folder():
    loose = [path.relative_to(ROOT).as_posix() for layer, path in source_files()
             if layer in INNER and path.parent == ROOT / layer]
    assert loose == ["merge/operator.cc", "merge/operator.h"]


def test_own_headers_are_named_from_the_root():
    wrong = []
    for _, path in source_files():
        for mark, name in includes(path):
            if mark == '"' and not (ROOT / name).is_file():
                wrong.append(f"{path.relative_to(ROOT)} includes \"{name}\"")
    assert wrong == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_is_included_only_behind_its_doors(library):
    wrong = []
    for _, path in source_files():
        relative = path.relative_to(ROOT).as_posix()
        for _, name in includes(path):
            if name.startswith(library) and not relative.startswith(tuple(DOORS[library])):
                wrong.append(f"{relative} includes {name}")
    assert wrong == []


def test_headers_have_no_third_party_include():
    wrong = []
    for layer, path in source_files():
        if path.suffix != ".h" or path.name.endswith("-inl.h") or layer in TOPS:
            continue
        for _, name in includes(path):
            if name.startswith(THIRD_PARTY):
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert wrong == []


def test_public_headers_include_the_standard_library_and_each_other():
    names = {f"weightsmith/{path.name}" for path in public_headers()}
    wrong = []
    for path in public_headers():
        for mark, name in includes(path):
            if mark != "<" or ("/" in name and name not in names) or name.endswith(".h") and name not in names:
                wrong.append(f"{path.name} includes {name}")
    assert wrong == []
    umbrella = {name for _, name in includes(PUBLIC / "weightsmith.h")}
    assert umbrella == names - {"weightsmith/weightsmith.h"}


def test_public_headers_are_included_by_what_implements_them():
    wrong = []
    for _, path in source_files():
        relative = path.relative_to(ROOT).as_posix()
        for _, name in includes(path):
            folder, _, header = name.partition("/")
            if folder != "weightsmith" or relative.startswith("recipes/api/"):
                continue
            if not (header in VALUES and relative.startswith(VALUES[header]) and path.suffix == ".h"):
                wrong.append(f"{relative} includes {name}")
    assert wrong == []


def test_nothing_below_sees_what_implements_the_public_api():
    wrong = []
    for _, path in source_files():
        relative = path.relative_to(ROOT).as_posix()
        for _, name in includes(path):
            if name.startswith("recipes/api/") and not relative.startswith("recipes/api/"):
                wrong.append(f"{relative} includes {name}")
    assert wrong == []


def test_no_file_is_too_long_to_live_with():
    long_files = []
    for path in [*public_headers(), *(path for _, path in source_files())]:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > 500:
            long_files.append(f"{path.relative_to(ROOT)}: {lines} lines")
    assert long_files == []


def test_tables_do_not_name_one_function_twice():
    """Files of a table define functions of their names: two of one name would silently be one to the linker."""
    functions = {}
    for cmake in ROOT.glob("*/CMakeLists.txt"):
        for folder, rest in re.findall(r"weightsmith_table\(\w+ FOLDER (\S+) ([^)]*)\)", cmake.read_text()):
            inner = re.search(r"NAMESPACE (\w+)", rest)
            for file in (cmake.parent / folder).glob("*.cc"):
                functions.setdefault((inner[1] if inner else "", file.stem), []).append(str(file))
    assert len(functions) > 60
    assert [files for files in functions.values() if len(files) > 1] == []


# Lines of an operator's file that are code: what is not empty, no comment, and no part of the declaration, from "static
# const Operator declaration{" to its brace.
OPERATOR_LINES = 60
DECLARATION = re.compile(r"static const Operator declaration\{.*?^  \};$", re.MULTILINE | re.DOTALL)


def test_an_operator_is_a_few_lines_of_code():
    """What takes more is arithmetic of its own, in merge/arithmetic or merge/program."""
    long_files, declared = {}, 0
    for path in sorted((ROOT / "merge/operators").glob("*.cc")):
        text, found = DECLARATION.subn("", path.read_text(encoding="utf-8"))
        declared += found
        code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("//")]
        if len(code) > OPERATOR_LINES:
            long_files[path.name] = len(code)
    assert long_files == {}
    assert declared == len(list((ROOT / "merge/operators").glob("*.cc")))


# Sources without a header of their names: what the compiler starts from, and files of one kind, a function each, that one
# header declares.
MAINS = {"cli/main.cc", "python_bindings/module.cc", "core/io/xxh3/xxh3_functions.cc"}
KINDS = {"cli/flags/completions": "cli/flags/completions/completion.h", "python_bindings": "python_bindings/bindings.h"}


def declaration_folders():
    """Those that weightsmith_table makes a table of: a file defines one function of its name."""
    return {cmake.parent / folder for cmake in ROOT.glob("*/CMakeLists.txt")
            for folder in re.findall(r"weightsmith_table\(\w+ FOLDER (\S+)", cmake.read_text(encoding="utf-8"))}


def test_a_header_is_implemented_by_the_source_of_its_name():
    folders = declaration_folders()
    wrong, kinds = [], 0
    for _, path in source_files():
        relative = path.relative_to(ROOT).as_posix()
        folder = path.parent.relative_to(ROOT).as_posix()
        own = [path.with_suffix(".h"), path.with_name(f"{path.stem}-inl.h")]
        if folder == "recipes/api":
            own.append(PUBLIC / f"{path.stem}.h")
        if path.suffix != ".cc" or path.parent in folders or relative in MAINS or any(map(Path.is_file, own)):
            continue
        if folder not in KINDS:
            wrong.append(f"{relative} has no header")
            continue
        kinds += 1
        if KINDS[folder] not in {name for _, name in includes(path)}:
            wrong.append(f"{relative} does not include {KINDS[folder]}")
    assert wrong == []
    assert kinds > 5


NAMESPACE = re.compile(r"^namespace ([\w:]+) \{", re.MULTILINE)
# A definition of a member at the margin: "Plan Planner::Make() && {", "Reader::Reader(".
MEMBER = re.compile(r"^(?:[A-Za-z][^;{}()=\n]*[\s&*])?((?:[A-Z]\w*::)+)(?:~?\w+|operator[^\s\w]+)\(", re.MULTILINE)


def test_a_class_is_implemented_in_one_source():
    """A class that needs several files is several classes."""
    sources = {}
    for _, path in source_files():
        if path.suffix != ".cc":
            continue
        text = path.read_text(encoding="utf-8")
        for name in MEMBER.findall(text):
            sources.setdefault((NAMESPACE.search(text)[1], name), set()).add(path.relative_to(ROOT).as_posix())
    assert len(sources) > 100
    assert {name: files for name, files in sources.items() if len(files) > 1} == {}


STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
FLAG = re.compile(r"(?<![-\w])--[a-z]")


def test_no_message_below_the_command_line_names_a_flag():
    """An error carries the option that would help, and each front end spells it."""
    wrong = []
    for layer, path in source_files():
        if layer in TOPS:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = line if line.lstrip()[:2] != "//" else ""
            if any(FLAG.search(string) for string in STRING.findall(code)):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert wrong == []


# What is declared of models: their ids stand here alone.
DECLARATIONS = ("core/model/architectures/", "core/model/parts/", "core/model/builders/", "core/model/block_lists/",
                "core/model/namings/")


def test_no_file_outside_the_declarations_names_an_architecture():
    """What varies between models is data of their declaration, which other files read."""
    ids = set()
    for file in (ROOT / "core/model/architectures").glob("*.cc"):
        declared = re.findall(r'\.id = "([^"]+)"', file.read_text(encoding="utf-8"))
        assert len(declared) == 1, file
        ids.update(declared)
    assert len(ids) > 20
    wrong = []
    for _, path in source_files():
        relative = path.relative_to(ROOT).as_posix()
        if relative.startswith(DECLARATIONS):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = line.split("//")[0]
            if any(string[1:-1] in ids for string in STRING.findall(code)):
                wrong.append(f"{relative}:{number}: {line.strip()}")
    assert wrong == []
