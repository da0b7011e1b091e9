"""The version that this control plane is faithful to."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.wire import Request, Response

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
    """The ``version.Info`` document for ``/version``, or None for another path."""
    if request.method not in ("GET", "HEAD") or request.path.rstrip("/") != "/version":
        return None
    return Response(200, dict(_DOCUMENT))
