"""The schemas of Kubernetes' kinds: descriptions, types, keys by which lists are merged.

The package ``kubernetes-validate`` carries them; they are read once a process, when something is first asked of them.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

VERSION: Final = "1.36"

Schema = dict[str, Any]


@cache
def definitions() -> dict[str, Schema]:
    """Every definition by its full name, such as ``io.k8s.api.core.v1.PodSpec``; not to be changed."""
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the schemas of Kubernetes come from the package kubernetes-validate; install it")
    folder = Path(spec.submodule_search_locations[0], "kubernetes-json-schema", f"v{VERSION}.0-local")
    found: dict[str, Schema] = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    return found


def description(field: str) -> str:
    """What the schema says of a field: ``core.v1.PodSpec.nodeName``; empty when it says nothing.

    The name begins with the group's first word (``meta`` for the machinery) and ends with the JSON name of the field.
    """
    type_name, _, name = field.rpartition(".")
    package = "io.k8s.apimachinery.pkg.apis" if type_name.startswith("meta.") else "io.k8s.api"
    text: str = definitions()[f"{package}.{type_name}"]["properties"][name].get("description", "")
    return text
