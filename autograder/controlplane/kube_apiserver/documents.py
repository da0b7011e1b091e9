"""What the API server answers outside of the resources: discovery, OpenAPI, version, health."""

from __future__ import annotations

from collections.abc import Collection

from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.kube_apiserver import discovery, health, openapi, version


def answer(request: Request, failing: Collection[str] = ()) -> Response | None:
    """The document of a path, or None if no document has it.

    ``failing`` names the health checks that fail now. Raises ``StatusError`` for a form that is not served.
    """
    return (
        health.answer(request, failing)
        or discovery.answer(request)
        or openapi.answer(request)
        or version.answer(request)
    )
