"""What scripts have in common that make files of the repository from what the program says of itself."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(documentation, files):
    """The command line of such a script. `files` are functions by the path that they make: each gets `ask`, which runs a
    command and reads what it prints as JSON, and gives the text. With --check nothing is written."""
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--check", action="store_true", help="fail where a file is not current")
    arguments = parser.parse_args()
    program = Path(arguments.build) / "bin" / "weightsmith"

    def ask(*command):
        return json.loads(subprocess.run([program, *command], check=True, capture_output=True).stdout)

    for path, make in files.items():
        text = make(ask)
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.relative_to(ROOT)} is not what the declarations say: run scripts/bless.sh")
