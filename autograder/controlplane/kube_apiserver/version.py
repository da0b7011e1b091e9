"""The version that this control plane is faithful to."""

from __future__ import annotations

import json
from typing import Final

from autograder.controlplane.apimachinery.errors import MethodNotAllowed
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.kube_apiserver import representation

GIT_VERSION: Final = "v1.36.2"

_DOCUMENT: Final = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": GIT_VERSION,
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "python",
    "platform": "linux/amd64",
}


def answer(request: Request) -> Response | None:
    """The ``version.Info`` document for ``/version``, or None for another path; it is to be had as JSON only."""
    if request.path.rstrip("/") != "/version":
        return None
    if request.method != "GET":
        raise MethodNotAllowed.path()
    representation.check_route(request.headers.get("accept", ""), ("application/json",))
    return Response(200, json.dumps(_DOCUMENT, indent=2).encode(), "application/json")
