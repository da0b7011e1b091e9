"""The health endpoints: ``/healthz``, ``/livez`` and ``/readyz``, as a whole and check by check.

Source: apiserver/pkg/server/healthz.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from autograder.controlplane.apimachinery.wire import Request, Response

TEXT: Final = "text/plain; charset=utf-8"

_ALIVE: Final = ("ping", "log", "loopback-serving-certificate", "etcd")
_HOOKS: Final = (
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-wait-for-first-sync",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
)
_CHECKS: Final = {
    "healthz": (*_ALIVE, *_HOOKS),
    "livez": (*_ALIVE, *_HOOKS),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync", *_HOOKS, "shutdown"),
}


def answer(request: Request, failing: Collection[str] = ()) -> Response | None:
    """The state of the server, or None for another path.

    ``failing`` names the checks that fail now, such as ``etcd``; any of them makes the whole answer 500.
    """
    kind, slash, check = request.path.removeprefix("/").partition("/")
    if kind not in _CHECKS:
        return None
    checks = _CHECKS[kind]
    if slash:
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


def paths() -> list[str]:
    """The path of each endpoint and of each of its checks."""
    return [f"/{kind}{check}" for kind, checks in _CHECKS.items() for check in ("", *(f"/{one}" for one in checks))]


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
