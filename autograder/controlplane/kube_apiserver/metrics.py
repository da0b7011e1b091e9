"""What is measured of the API server: how many objects of each kind it stores, and the version that it is.

A real server measures far more; these two have its names, so that what is asked of them works there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from autograder.controlplane.apimachinery.scheme import RESOURCES
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.version import GIT_VERSION

_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
_OBJECTS: Final = "apiserver_resource_objects"
_BUILD: Final = "kubernetes_build_info"


def answer(request: Request, backend: Backend) -> Response | None:
    """The measures in the text format of Prometheus for ``/metrics``, or None for another path."""
    if request.path != "/metrics":
        return None
    return Response(200, "".join(f"{line}\n" for line in _lines(backend)), _FORMAT)


def _lines(backend: Backend) -> Iterator[str]:
    yield (
        f"# HELP {_OBJECTS} [ALPHA] Number of stored objects at the time of last check split by kind. In case of a "
        "fetching error, the value will be -1."
    )
    yield f"# TYPE {_OBJECTS} gauge"
    for kind in sorted(RESOURCES, key=lambda kind: (kind.group, kind.plural)):
        if "watch" in kind.verbs:
            count = len(backend.store.range(kind.prefix))
            yield f'{_OBJECTS}{{group="{kind.group}",resource="{kind.plural}"}} {count}'
    yield (
        f"# HELP {_BUILD} [ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, "
        "git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which "
        "it is running."
    )
    yield f"# TYPE {_BUILD} gauge"
    yield f'{_BUILD}{{git_version="{GIT_VERSION}",major="1",minor="36"}} 1'
