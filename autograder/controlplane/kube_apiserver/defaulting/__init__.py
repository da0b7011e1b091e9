"""What the API server fills in where a freshly decoded object leaves something out.

Defaults are set after decoding and before admission, in place; the object stays in normal form. Each kind has one
function, which mirrors ``SetDefaults_*`` of pkg/apis/<group>/<version>/defaults.go and the conversions that change
what a client sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.kube_apiserver.defaulting import pods

Defaulter = Callable[[dict[str, Any]], None]

#: Type name -> its defaults; kinds that are not here have none.
DEFAULTS: Final[dict[str, Defaulter]] = {
    "core/v1.Pod": pods.default_pod,
    "core/v1.PodTemplate": pods.default_pod_template,
}


def default(type_name: str, obj: dict[str, Any]) -> None:
    """Set the defaults of a decoded object of a type, in place."""
    if defaulter := DEFAULTS.get(type_name):
        defaulter(obj)
