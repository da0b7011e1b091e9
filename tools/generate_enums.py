#!/usr/bin/env python3
"""Write the values of enumerated types, which ``kubectl explain`` lists, from Kubernetes' Go declarations.

    python tools/generate_enums.py SOURCE

``SOURCE`` is an unpacked Kubernetes tree, or a folder that has ``k8s.io/api`` and ``k8s.io/apimachinery`` in it, such
as ``/usr/share/gocode/src`` after ``apt-get install golang-k8s-api-dev golang-k8s-apimachinery-dev``.

The table goes to ``autograder/controlplane/kube_apiserver/enums.json``: type -> its values, for the types that are
marked ``+enum``. Types are named as in the tables of Go types, ``core/v1.RestartPolicy``. Equal input gives equal
bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from generate_types import PACKAGES

TARGET = Path(__file__).parents[1] / "autograder/controlplane/kube_apiserver/enums.json"

MARKED = re.compile(r"^// \+enum\n(?://[^\n]*\n)*type (\w+) string$", re.MULTILINE)
#: ``Name Type = "value"``
CONSTANT = re.compile(r'^\s*(?:const\s+)?(\w+)\s+(\w+)\s*=\s*"([^"]*)"', re.MULTILINE)
#: ``Name = Type("value")``, or ``Type(core.OtherName)``
CONVERTED = re.compile(r'^\s*(?:const\s+)?\w+\s*=\s*(\w+)\((?:"([^"]*)"|\w+\.(\w+))\)', re.MULTILINE)


def main() -> int:
    """Read every package, write the table; exit status 2 when a package is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a Kubernetes tree, or a folder that holds k8s.io/api")
    source = parser.parse_args().source
    texts: dict[str, str] = {}
    for package, go_path in PACKAGES.items():
        folder = next((root / go_path for root in (source / "staging/src", source) if (root / go_path).is_dir()), None)
        if folder is None:
            print(f"{source}: no {go_path} in it", file=sys.stderr)
            return 2
        texts[package] = "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*types.go")))
    named = {name: value for text in texts.values() for name, _, value in CONSTANT.findall(text)}
    table = {
        f"{package}.{name}": sorted(values_of(name, text, named))
        for package, text in texts.items()
        for name in MARKED.findall(text)
    }
    lines = (f" {json.dumps(name)}: {json.dumps(values)}" for name, values in sorted(table.items()))
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(table)} enumerated types")
    return 0


def values_of(name: str, text: str, named: dict[str, str]) -> set[str]:
    """The constants of a type; ``named`` has the value of every constant of all packages by its name."""
    plain = {value for _, kind, value in CONSTANT.findall(text) if kind == name}
    return plain | {named.get(other, value) for kind, value, other in CONVERTED.findall(text) if kind == name}


if __name__ == "__main__":
    sys.exit(main())
