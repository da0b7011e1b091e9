"""``serviceaccounts/token``: a token for a service account, on request (pkg/registry/core/serviceaccount/storage)."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import scheme, timestamps
from autograder.controlplane.apimachinery.errors import BadRequest, Conflict, Invalid, NotFound
from autograder.controlplane.apimachinery.field import Path, invalid
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_apiserver.authentication import AUDIENCES, Authenticator
from autograder.controlplane.kube_apiserver.backend import Backend

GROUP: Final = "authentication.k8s.io"
DEFAULT_SECONDS: Final = 3600
_LEAST_SECONDS: Final = 600
_MOST_SECONDS: Final = 1 << 32
#: What a token may be bound to, and by which name the issuer knows it.
_BOUND: Final = {"Pod": ("pod", scheme.PODS), "Secret": ("secret", scheme.SECRETS), "Node": ("node", scheme.NODES)}


class TokenRequests:
    """Answers the token requests of one cluster."""

    def __init__(self, backend: Backend, authenticator: Authenticator) -> None:
        self._backend = backend
        self._authenticator = authenticator

    def answer(self, namespace: str, name: str, request: Object) -> Object:
        """The request with a token in its status. Raises ``StatusError`` for one that cannot be followed."""
        given = request["metadata"]
        self._check_name(given.get("name", ""), name, "name", name)
        self._check_name(given.get("namespace", ""), namespace, "namespace", name)
        account = self._read(scheme.SERVICEACCOUNTS, namespace, name)
        uid = account["metadata"]["uid"]
        if given.get("uid", uid) != uid:
            why = f"the UID in the token request ({given['uid']}) does not match the UID of the service account ({uid})"
            raise Conflict.on("TokenRequest", GROUP, name, why)
        spec: Object = request.get("spec") or {}
        seconds = spec.get("expirationSeconds")
        seconds = DEFAULT_SECONDS if seconds is None else seconds
        self._check_seconds(seconds)
        audiences = spec.get("audiences") or list(AUDIENCES)
        bound = self._bound(namespace, name, spec.get("boundObjectRef"))
        token = self._authenticator.issue(account, seconds, audiences, **bound)
        now = self._backend.clock.now
        own = {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": timestamps.time(now)}
        return {
            **request,
            "metadata": {**own, **given, **own},
            "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": timestamps.time(now + seconds * SECOND)},
        }

    @staticmethod
    def _check_name(given: str, wanted: str, field: str, name: str) -> None:
        if given and given != wanted:
            what = f"must match the service account {field} if specified"
            raise Invalid.on("TokenRequest", GROUP, name, [invalid(Path("metadata").child(field), given, what)])

    @staticmethod
    def _check_seconds(seconds: int) -> None:
        what = ""
        if seconds < _LEAST_SECONDS:
            what = "may not specify a duration less than 10 minutes"
        elif seconds > _MOST_SECONDS:
            what = "may not specify a duration larger than 2^32 seconds"
        if what:
            path = Path("spec").child("expirationSeconds")
            raise Invalid.on("TokenRequest", GROUP, "", [invalid(path, seconds, what)])

    def _bound(self, namespace: str, account: str, reference: Object | None) -> dict[str, Object]:
        """The object that the token is to live as long as; a pod brings its node with it."""
        if reference is None:
            return {}
        group, _, version = reference.get("apiVersion", "").rpartition("/")
        kind = reference.get("kind", "")
        if group or kind not in _BOUND:
            raise BadRequest(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
        name, row = _BOUND[kind]
        obj = self._read(row, namespace if row.namespaced else "", reference.get("name", ""))
        bound = {name: obj}
        if row is scheme.PODS:
            if obj["spec"].get("serviceAccountName") != account:
                other = "running with different serviceaccount name"
                raise BadRequest(f'cannot bind token for serviceaccount "{account}" to pod {other}.')
            if node := obj["spec"].get("nodeName"):
                bound["node"] = self._backend.read(scheme.NODES, "", node) or {"metadata": {"name": node}}
        uid = obj["metadata"]["uid"]
        if reference.get("uid", uid) != uid:
            why = (
                f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            )
            raise Conflict.on(kind, "", obj["metadata"]["name"], why)
        return bound

    def _read(self, kind: ResourceType, namespace: str, name: str) -> Object:
        found = self._backend.read(kind, namespace, name)
        if found is None:
            raise NotFound.on(kind.plural, kind.group, name)
        return found
