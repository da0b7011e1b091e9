"""An API server to ask, as anybody, with the default roles and whatever a test grants."""

from __future__ import annotations

import json
import random
from typing import Any

from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response, User
from autograder.controlplane.bootstrap_rbac import create_default_roles
from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.etcd import MemoryStore
from autograder.controlplane.kube_apiserver.authentication import signing_key
from autograder.controlplane.kube_apiserver.backend import Backend, stamp
from autograder.controlplane.kube_apiserver.server import APIServer

Object = dict[str, Any]

RBAC = "/apis/rbac.authorization.k8s.io/v1"
DEFAULT = "/api/v1/namespaces/default"
EVERYBODY = "system:authenticated"


def person(name: str, *groups: str) -> User:
    """Somebody who has shown who he is."""
    return User(name, (*groups, EVERYBODY))


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> Object:
    """A rule of words with commas between them; ``-`` is the core group in a list of groups."""
    found: Object = {
        "verbs": verbs.split(","),
        "apiGroups": ["" if one == "-" else one for one in groups.split(",")],
        "resources": resources.split(","),
    }
    return {**found, "resourceNames": names.split(",")} if names else found


class World:
    """A small cluster without components, and what is said to its API server."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = Clock()
        backend = Backend(MemoryStore(stamp), self.clock, random.Random(0))
        self.api = APIServer(backend, lambda: None, key=signing_key(seed))
        create_default_roles(Backend(backend.store, self.clock, random.Random(1)))
        for name in ("default", "dev"):
            self.create("/api/v1/namespaces", {"metadata": {"name": name}})
            self.create(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})

    def ask(
        self, method: str, path: str, user: User | None = ADMIN, body: Object | None = None, **headers: str
    ) -> Response:
        """One request; underscores in the names of headers stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path, _, query = path.partition("?")
        values = {name: [value] for name, _, value in (one.partition("=") for one in query.split("&") if one)}
        if body is None:
            return self.api.handle(Request(method, path, values, named, user=user))
        named.setdefault("content-type", "application/json")
        return self.api.handle(Request(method, path, values, named, json.dumps(body).encode(), user=user))

    def create(self, path: str, body: Object, user: User | None = ADMIN) -> Any:
        """What a create answers, which must succeed."""
        response = self.ask("POST", path, user, body)
        assert response.code == 201, response.body
        return response.body

    def refusal(self, *args: Any, **headers: str) -> str:
        """Why something is forbidden."""
        response = self.ask(*args, **headers)
        assert response.code == 403, response.body
        return str(response.body["message"])

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.now += seconds * SECOND

    def grant(self, subject: str, *rules: Object, namespace: str = "", name: str = "granted") -> None:
        """Give rules to ``User:bob``, ``Group:dev`` or ``ServiceAccount:bot``: in a namespace, or in the cluster."""
        cluster, place = ("", f"namespaces/{namespace}/") if namespace else ("cluster", "")
        role = {"metadata": {"name": name}, "rules": list(rules)}
        self.create(f"{RBAC}/{place}{cluster}roles", role)
        self.bind(subject, f"{cluster}role/{name}", namespace=namespace, name=name)

    def bind(self, subject: str, role: str, *, namespace: str = "", name: str = "bound") -> None:
        """Bind ``role/NAME`` or ``clusterrole/NAME``."""
        kind, _, who = subject.partition(":")
        bound: Object = {"kind": kind, "name": who}
        if kind == "ServiceAccount":
            bound["namespace"] = namespace or "default"
        role_kind, _, role_name = role.partition("/")
        reference = {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": {"role": "Role", "clusterrole": "ClusterRole"}[role_kind],
            "name": role_name,
        }
        body = {"metadata": {"name": name}, "roleRef": reference, "subjects": [bound]}
        place = f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings"
        self.create(f"{RBAC}/{place}", body)

    def token(self, account: str = "default", **spec: Any) -> str:
        """A token of a service account in ``default``."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self.create(f"{DEFAULT}/serviceaccounts/{account}/token", body)["status"]["token"])
