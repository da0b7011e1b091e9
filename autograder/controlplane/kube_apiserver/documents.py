"""What the API server answers outside of the resources: discovery, OpenAPI, version, health, and its paths.

Where there is nothing, paths below an API answer as the API does, and all others with a page of text.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import NOT_SERVED
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.kube_apiserver import discovery, health, openapi, version

_INDEX: Final = ("/", "/index.html")
_OTHERS: Final = ("/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version")
_TEXT: Final = "text/plain; charset=utf-8"


def answer(request: Request, failing: Collection[str] = ()) -> Response | None:
    """The document of a path, or None if no document has it.

    ``failing`` names the health checks that fail now. Raises ``StatusError`` for a form that is not served.
    """
    if request.path in _INDEX:
        return Response(200, {"paths": list(paths())})
    return (
        health.answer(request, failing)
        or discovery.answer(request)
        or openapi.answer(request)
        or version.answer(request)
    )


@cache
def paths() -> tuple[str, ...]:
    """Every path at which there is a document."""
    return tuple(sorted({*discovery.paths(), *health.paths(), *_OTHERS}))


def nothing(path: str) -> Response:
    """The answer for a path that nobody serves; raises ``NotFound`` for one that an API might have."""
    if _is_of_api(path):
        raise NotFound.path()
    headers = {"x-content-type-options": "nosniff"}
    return Response(404, "404 page not found\n", _TEXT, headers, error=NotFound.path())


def _is_of_api(path: str) -> bool:
    first, second, third, *_ = [*path.split("/"), "", ""]
    if first or second not in ("api", "apis", "version"):
        return False
    groups = {"", *discovery.groups(), *(group for group, _ in NOT_SERVED)}
    return second != "apis" or third in groups
