"""The health endpoints: ``/healthz``, ``/livez`` and ``/readyz``, as a whole and check by check.

Source: apiserver/pkg/server/healthz.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from autograder.controlplane.apimachinery.wire import Request, Response

TEXT: Final = "text/plain; charset=utf-8"

_ALL: Final = ("ping", "log", "etcd")
_HOOKS: Final = (
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/start-kubernetes-service-cidr-controller",
)
_CHECKS: Final = {
    "healthz": (*_ALL, *_HOOKS),
    "livez": (*_ALL, *_HOOKS),
    "readyz": (*_ALL, "etcd-readiness", "informer-sync", *_HOOKS, "shutdown"),
}


def answer(request: Request, failing: Collection[str] = ()) -> Response | None:
    """The state of the server, or None for another path.

    ``failing`` names the checks that fail now, such as ``etcd``; any of them makes the whole answer 500.
    """
    kind, _, check = request.path.strip("/").partition("/")
    if kind not in _CHECKS or request.method not in ("GET", "HEAD"):
        return None
    checks = _CHECKS[kind]
    if check:
        return _one(check, failing) if check in checks else None
    excluded = set(request.query.get("exclude", ()))
    lines = [_line(name, excluded, failing) for name in checks]
    if unknown := sorted(excluded.difference(checks)):
        quoted = ",".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    if any(name in failing and name not in excluded for name in checks):
        return _text(500, "\n".join([*lines, f"{kind} check failed\n"]))
    if "verbose" not in request.query:
        return _text(200, "ok")
    return _text(200, "\n".join([*lines, f"{kind} check passed\n"]))


def _one(check: str, failing: Collection[str]) -> Response:
    if check in failing:
        return _text(500, f"internal server error: {check} failed\n")
    return _text(200, "ok")


def _line(name: str, excluded: Collection[str], failing: Collection[str]) -> str:
    if name in excluded:
        return f"[+]{name} excluded: ok"
    return f"[-]{name} failed: reason withheld" if name in failing else f"[+]{name} ok"


def _text(code: int, text: str) -> Response:
    return Response(code, text, TEXT, {"x-content-type-options": "nosniff"})
