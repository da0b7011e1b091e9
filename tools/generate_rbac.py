#!/usr/bin/env python3
"""Write the roles and bindings that every cluster begins with, from the published list of Kubernetes.

    python tools/generate_rbac.py SOURCE

``SOURCE`` is an unpacked Kubernetes tree; the list is what its tests hold the API server's bootstrap policy against.
The objects go to ``autograder/controlplane/bootstrap_rbac.json``, in the order in which the API server creates them.
Equal input gives equal bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).parents[1] / "autograder/controlplane/bootstrap_rbac.json"
FOLDER = "plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata"
FILES = (
    "cluster-roles", "controller-roles", "cluster-role-bindings", "controller-role-bindings", "namespace-roles",
    "namespace-role-bindings",
)  # fmt: skip
#: Roles of a distribution, which some trees carry.
FOREIGN = ("system:openshift:", "system:controller:service-ca-cert-publisher")


def main() -> int:
    """Read the lists, write the objects; exit status 2 when a list is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a Kubernetes tree")
    folder = parser.parse_args().source / FOLDER
    objects: list[dict[str, Any]] = []
    for name in FILES:
        file = folder / f"{name}.yaml"
        if not file.is_file():
            print(f"{file} is not there", file=sys.stderr)
            return 2
        objects += yaml.safe_load(file.read_text(encoding="utf-8"))["items"]
    kept = [one for one in objects if not one["metadata"]["name"].startswith(FOREIGN)]
    lines = (json.dumps(one, sort_keys=True, separators=(",", ":")) for one in kept)
    TARGET.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(f"{len(kept)} objects")
    return 0


if __name__ == "__main__":
    sys.exit(main())
