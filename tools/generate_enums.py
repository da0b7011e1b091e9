#!/usr/bin/env python3
"""Write what ``kubectl explain`` says of types beyond the published schemas, from Kubernetes' Go declarations.

    python tools/generate_enums.py SOURCE

``SOURCE`` is an unpacked Kubernetes tree, or a folder that has ``k8s.io/api`` and ``k8s.io/apimachinery`` in it, such
as ``/usr/share/gocode/src`` after ``apt-get install golang-k8s-api-dev golang-k8s-apimachinery-dev``.

Two tables go to ``autograder/controlplane/kube_apiserver``. ``enums.json``: type -> its values, each with its published
description, for the types that are marked ``+enum``. Types are named as in the tables of Go types,
``core/v1.RestartPolicy``. ``descriptions.json``: definition -> its published description, for the types that write
themselves as a plain value. Equal input gives equal bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from generate_types import PACKAGES

FOLDER = Path(__file__).parents[1] / "autograder/controlplane/kube_apiserver"

MARKED = re.compile(r"^// \+enum\n(?://[^\n]*\n)*type (\w+) string$", re.MULTILINE)
COMMENTED = r"^((?:[ \t]*//[^\n]*\n)*)[ \t]*(?:const\s+)?"
#: ``Name Type = "value"``
CONSTANT = re.compile(COMMENTED + r'(\w+)\s+(\w+)\s*=\s*"([^"]*)"', re.MULTILINE)
#: ``Name = Type("value")``, or ``Type(core.OtherName)``
CONVERTED = re.compile(COMMENTED + r'(\w+)\s*=\s*(\w+)\((?:"([^"]*)"|\w+\.(\w+))\)', re.MULTILINE)
#: Types that are a plain value on the wire: definition -> file and name.
PLAIN = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("k8s.io/apimachinery/pkg/api/resource/quantity.go", "Quantity"),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("k8s.io/apimachinery/pkg/util/intstr/intstr.go", "IntOrString"),
}


def main() -> int:
    """Read every package, write the table; exit status 2 when a package is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a Kubernetes tree, or a folder that holds k8s.io/api")
    source = parser.parse_args().source
    texts: dict[str, str] = {}
    try:
        for package, go_path in PACKAGES.items():
            files = sorted(found(source, go_path).glob("*types.go"))
            texts[package] = "\n".join(file.read_text(encoding="utf-8") for file in files)
        described = {
            definition: description(found(source, path).read_text(encoding="utf-8"), name)
            for definition, (path, name) in PLAIN.items()
        }
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    named = {name: value for text in texts.values() for _, name, _, value in CONSTANT.findall(text)}
    table = {
        f"{package}.{name}": values_of(name, text, named)
        for package, text in texts.items()
        for name in MARKED.findall(text)
    }
    write("enums.json", table)
    write("descriptions.json", described)
    print(f"{len(table)} enumerated types")
    return 0


def found(source: Path, path: str) -> Path:
    """A file or folder of the sources; ``FileNotFoundError`` when it is not there."""
    for root in (source / "staging/src", source):
        if (root / path).exists():
            return root / path
    raise FileNotFoundError(f"{source}: no {path} in it")


def write(name: str, table: Mapping[str, object]) -> None:
    lines = (f" {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(table.items()))
    (FOLDER / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def values_of(kind: str, text: str, named: dict[str, str]) -> dict[str, str]:
    """The constants of a type, each with its description; ``named`` has the value of every constant by its name."""
    values = {value: said(comment, name) for comment, name, of, value in CONSTANT.findall(text) if of == kind}
    for comment, name, of, value, other in CONVERTED.findall(text):
        if of == kind:
            values[named.get(other, value)] = said(comment, name)
    return dict(sorted(values.items()))


def said(comment: str, name: str) -> str:
    """The description of a constant: in one line, and without its name at the beginning."""
    lines = [line.strip().removeprefix("//") for line in comment.splitlines()]
    kept = " ".join(line for line in lines if not line.strip().startswith(("+", "TODO")))
    return " ".join(kept.strip().removeprefix(name).split())


def description(text: str, name: str) -> str:
    """The description of a type, in paragraphs as OpenAPI has them: an indented line stays a line of its own."""
    match = re.search(rf"((?:^//[^\n]*\n)+)type {name} ", text, re.MULTILINE)
    if match is None:
        raise FileNotFoundError(f"no type {name} in its file")
    result = ""
    for line in match[1].splitlines():
        words = line.removeprefix("//").removeprefix(" ").rstrip()
        if words.startswith(("+", "TODO")):
            continue
        if not words or words[0] in " \t":
            result = result.rstrip(" ") + "\n" + words + "\n"
        else:
            result += words + " "
    return re.sub("\n{3,}", "\n\n", result).strip()


if __name__ == "__main__":
    sys.exit(main())
