#!/usr/bin/env python3
"""Write the table of protobuf field numbers by which request bodies are read, from the files ``generated.proto``.

    python tools/generate_protobuf.py SOURCE

``SOURCE`` is an unpacked Kubernetes tree, or a folder that has ``k8s.io/api`` and ``k8s.io/apimachinery`` in it, such
as ``/usr/share/gocode/src`` after ``apt-get install golang-k8s-api-dev golang-k8s-apimachinery-dev``.

The table goes to ``autograder/controlplane/fronts/protobuf.json``: message -> field number -> field name. Messages are
named as the Go types are, ``core/v1.Pod``; what type a field has is in the table of Go types. Equal input gives equal
bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from generate_types import PACKAGES

TARGET = Path(__file__).parents[1] / "autograder/controlplane/fronts/protobuf.json"

COMMENT = re.compile(r"//[^\n]*")
MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*(?:optional|repeated|map<.*?>)[\w. ]*?\s(\w+) = (\d+);", re.MULTILINE)


def main() -> int:
    """Read every file, write the table; exit status 2 when one is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a Kubernetes tree, or a folder that holds k8s.io/api")
    source = parser.parse_args().source
    messages: dict[str, dict[str, str]] = {}
    for package, go_path in PACKAGES.items():
        places = [root / go_path / "generated.proto" for root in (source / "staging/src", source)]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            print(f"{source}: no {go_path}/generated.proto in it", file=sys.stderr)
            return 2
        for name, body in MESSAGE.findall(COMMENT.sub("", file.read_text(encoding="utf-8"))):
            messages[f"{package}.{name}"] = {number: field for field, number in FIELD.findall(body)}
    lines = (f" {json.dumps(name)}: {json.dumps(fields, separators=(',', ':'))}" for name, fields in messages.items())
    TARGET.write_text("{\n" + ",\n".join(sorted(lines)) + "\n}\n", encoding="utf-8")
    print(f"{len(messages)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
