"""Nothing unsupported succeeds silently: every resource of v1.36 is served, or says that it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from autograder.controlplane.apimachinery.scheme import (
    BY_ROUTE,
    NOT_SERVED,
    RESOURCES,
    SUBRESOURCES_NOT_SERVED,
    ResourceType,
    resource,
    subresource_verbs,
)
from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.kube_apiserver.schemas import definitions

METHODS = {"create": "POST", "get": "GET", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(nodes=[], without=["kube-controller-manager"])


def ask(cluster: Cluster, method: str, path: str, body: Any = None) -> Response:
    headers = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    return cluster.handle(Request(method, path, {}, headers, b"" if body is None else json.dumps(body).encode(), ADMIN))


def plural(kind: str) -> str:
    """The plural of a kind, by the rule that all kinds of Kubernetes follow."""
    word = kind.lower()
    if word.endswith("endpoints"):
        return word
    if word.endswith(("s", "x", "ch")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeiou" else word + "s"


def kept_kinds() -> Iterator[tuple[str, str, str]]:
    """Group, version and plural of every kind of v1.36 of which there are lists, as the published schemas say."""
    known = {
        (one["group"], one["version"], one["kind"])
        for definition in definitions().values()
        for one in definition.get("x-kubernetes-group-version-kind", ())
    }
    for group, version, kind in sorted(known):
        if (group, version, kind + "List") in known and kind != "APIGroup":
            yield group, version, plural(kind)


def root(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


@pytest.mark.parametrize(("group", "version", "name"), list(kept_kinds()))
def test_every_kind_of_the_published_schemas_is_served_or_says_that_it_is_not(
    cluster: Cluster, group: str, version: str, name: str
) -> None:
    answers = [
        ask(cluster, method, path)
        for path in (f"{root(group, version)}/{name}", f"{root(group, version)}/namespaces/default/{name}")
        for method in ("GET", "POST", "DELETE")
    ]
    codes = {answer.code for answer in answers}
    if (group, version, name) in BY_ROUTE:
        assert ask(cluster, "GET", f"{root(group, version)}/{name}").code == 200
    elif "alpha" in version or "beta" in version:
        assert codes == {404}, "a real server does not serve it by default either"
    else:
        assert codes == {501}
        status = answers[0].body
        assert (status["kind"], status["status"], status["reason"]) == ("Status", "Failure", "NotImplemented")
        assert name in status["message"] and "is not supported" in status["message"]


def test_what_is_not_served_is_not_discovered(cluster: Cluster) -> None:
    for (group, version), names in NOT_SERVED.items():
        document = ask(cluster, "GET", root(group, version))
        found = {one["name"] for one in document.body["resources"]} if document.code == 200 else set()
        assert not found.intersection(names)


@pytest.mark.parametrize(
    ("kind", "subresource"), [(kind, name) for kind, names in SUBRESOURCES_NOT_SERVED.items() for name in names]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_subresource_that_is_not_served_says_so(cluster: Cluster, kind: str, subresource: str, method: str) -> None:
    path = resource(kind).path("default", "web", subresource)
    answer = ask(cluster, method, path, {})
    assert (answer.code, answer.body["reason"]) == (501, "NotImplemented")
    assert f"{kind}/{subresource}" in answer.body["message"]
    document = ask(cluster, "GET", "/api/v1").body
    assert f"{kind}/{subresource}" not in {one["name"] for one in document["resources"]}


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda row: f"{row.plural}.{row.group}")
def test_a_verb_that_a_kind_does_not_have_is_not_allowed(cluster: Cluster, kind: ResourceType) -> None:
    collection, one = kind.path("default"), kind.path("default", "web")
    paths = dict.fromkeys(("get", "update", "patch", "delete"), one) | {"create": collection}
    for verb, path in paths.items():
        if verb not in kind.verbs:
            assert ask(cluster, METHODS[verb], path, {}).code == 405, verb
    for method, path in (
        ("PUT", collection),
        ("PATCH", collection),
        ("POST", one),
        ("TRACE", one),
        ("BREW", collection),
    ):
        answer = ask(cluster, method, path, {})
        assert (answer.code, answer.body["reason"]) == (405, "MethodNotAllowed"), (method, path)


@pytest.mark.parametrize(
    ("kind", "subresource"),
    [(kind, name) for kind in RESOURCES for name in kind.subresources],
    ids=lambda value: value if isinstance(value, str) else value.plural,
)
def test_a_subresource_has_its_own_verbs_and_no_others(cluster: Cluster, kind: ResourceType, subresource: str) -> None:
    revision = cluster.store.revision
    for verb, method in METHODS.items():
        answer = ask(cluster, method, kind.path("default", "web", subresource), {})
        assert (answer.code == 405) == (verb not in subresource_verbs(subresource)), verb
        assert answer.code >= 400
    assert cluster.store.revision == revision


@pytest.mark.parametrize("path", ["bindings", "pods/web/binding"])
def test_both_ways_to_bind_a_pod_bind_it_and_keep_no_binding(path: str) -> None:
    cluster = Cluster(without=["kube-scheduler"])
    containers = [{"name": "nginx", "image": "nginx"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers}}
    assert ask(cluster, "POST", "/api/v1/namespaces/default/pods", pod).code == 201
    target = {"kind": "Node", "name": "worker-1"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": target}
    answer = ask(cluster, "POST", f"/api/v1/namespaces/default/{path}", binding)
    assert (answer.code, answer.body["kind"], answer.body["status"]) == (201, "Status", "Success")
    assert ask(cluster, "GET", "/api/v1/namespaces/default/pods/web").body["spec"]["nodeName"] == "worker-1"
    assert not cluster.store.range("/registry/bindings/")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/unicorns",
        "/api/v1/namespaces/default/configmaps/web/status",
        "/api/v1/namespaces/default/pods/web/horn",
        "/api/v1/namespaces/default/pods/web/log/more",
        "/api/v2/pods",
    ],
)
def test_what_nobody_has_is_not_found(cluster: Cluster, path: str) -> None:
    answer = ask(cluster, "GET", path)
    assert (answer.code, answer.body["reason"]) == (404, "NotFound")
    assert answer.body["message"] == "the server could not find the requested resource"
