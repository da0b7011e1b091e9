"""Discovery, version and health: what a client asks before it asks for anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery.errors import MethodNotAllowed
from autograder.controlplane.apimachinery.scheme import SERVED
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.kube_apiserver import documents
from autograder.controlplane.kube_apiserver.discovery import AGGREGATED

KUBECTL = {"accept": f"{AGGREGATED},application/json"}


def get(path: str, headers: dict[str, str] | None = None, **query: list[str]) -> Response:
    response = documents.answer(Request("GET", path, query, headers or {}))
    assert response is not None, path
    return response


def aggregated(path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(get(path, KUBECTL).body)
    return document


def test_aggregated_discovery_says_its_form_so_that_kubectl_reads_it() -> None:
    response = get("/apis", KUBECTL)
    assert response.content_type == AGGREGATED
    assert response.headers["vary"] == "Accept"
    assert json.loads(response.body)["kind"] == "APIGroupDiscoveryList"


def test_a_client_that_has_the_document_is_not_sent_it_again() -> None:
    etag = get("/api", KUBECTL).headers["etag"]
    again = get("/api", {**KUBECTL, "if-none-match": etag})
    assert (again.code, again.body, again.headers["etag"]) == (304, b"", etag)
    assert get("/apis", {**KUBECTL, "if-none-match": etag}).code == 200


def test_the_two_aggregated_documents_have_every_kind_once() -> None:
    found = [
        (group["metadata"].get("name", ""), version["version"], resource["resource"])
        for path in ("/api", "/apis")
        for group in aggregated(path)["items"]
        for version in group["versions"]
        for resource in version["resources"]
    ]
    assert sorted(found) == sorted((row.group, row.version, row.plural) for row in SERVED)


def test_the_order_of_groups_makes_get_all_list_pods_and_then_workloads() -> None:
    names = [group["metadata"]["name"] for group in aggregated("/apis")["items"]]
    assert names.index("apps") < names.index("autoscaling") < names.index("batch")


def test_subresources_speak_of_their_own_kinds() -> None:
    apps = next(group for group in aggregated("/apis")["items"] if group["metadata"]["name"] == "apps")
    deployments = next(r for r in apps["versions"][0]["resources"] if r["resource"] == "deployments")
    assert deployments["shortNames"] == ["deploy"] and deployments["categories"] == ["all"]
    assert deployments["subresources"][0] == {
        "subresource": "scale",
        "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
        "verbs": ["get", "patch", "update"],
    }


@pytest.mark.parametrize("accept", ["", "application/json", "*/*", f"application/json,{AGGREGATED}"])
def test_other_clients_get_the_older_documents(accept: str) -> None:
    assert get("/api", {"accept": accept}).body["versions"] == ["v1"]
    assert get("/apis", {"accept": accept}).body["kind"] == "APIGroupList"


def test_the_older_documents_lead_from_groups_to_resources() -> None:
    group = get("/apis/apps").body
    assert (group["kind"], group["preferredVersion"]["groupVersion"]) == ("APIGroup", "apps/v1")
    resources = {entry["name"]: entry for entry in get("/apis/apps/v1").body["resources"]}
    assert resources["deployments/scale"]["kind"] == "Scale"
    assert resources["deployments"]["storageVersionHash"] == "8aSe+NMegvE="


def test_what_drain_looks_for() -> None:
    entries = {entry["name"]: entry for entry in get("/api/v1").body["resources"]}
    assert entries["pods/eviction"] | {"verbs": []} == {
        "name": "pods/eviction", "singularName": "", "namespaced": True, "group": "policy", "version": "v1",
        "kind": "Eviction", "verbs": [],
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/apis/nobody", "/apis/apps/v9", "/api/v2", "/apis/apps/v1/deployments", "//api"])
def test_there_is_no_document_for_what_is_not_served(path: str) -> None:
    assert documents.answer(Request("GET", path)) is None


@pytest.mark.parametrize("path", ["/api", "/api/v1", "/apis/apps/v1", "/version"])
def test_documents_are_read_only(path: str) -> None:
    with pytest.raises(MethodNotAllowed):
        documents.answer(Request("POST", path))


def test_the_root_lists_all_paths() -> None:
    paths = get("/").body["paths"]
    assert paths == sorted(paths)
    assert {"/api/v1", "/apis/apps", "/apis/apps/v1", "/healthz/etcd", "/openapi/v3", "/version"} <= set(paths)


def test_the_version_is_that_of_the_real_server() -> None:
    answer = get("/version")
    assert json.loads(answer.body)["gitVersion"] == "v1.36.2"
    assert answer.body.startswith(b'{\n  "major": "1",\n  "minor": "36",\n'), "people read it"


@pytest.mark.parametrize("kind", ["healthz", "livez", "readyz"])
def test_a_healthy_server_says_ok(kind: str) -> None:
    assert (get(f"/{kind}").code, get(f"/{kind}").body) == (200, "ok")
    verbose = get(f"/{kind}", verbose=[""]).body
    assert verbose.startswith("[+]ping ok\n") and verbose.endswith(f"{kind} check passed\n")
    assert get(f"/{kind}/etcd").body == "ok"


def test_a_check_that_fails_is_named() -> None:
    response = documents.answer(Request("GET", "/readyz"), failing=("etcd",))
    assert response is not None and response.code == 500
    assert "[-]etcd failed: reason withheld\n" in response.body


def test_a_check_can_be_left_out() -> None:
    request = Request("GET", "/readyz", {"exclude": ["etcd", "weather"], "verbose": [""]})
    response = documents.answer(request, failing=("etcd",))
    assert response is not None and response.code == 200
    assert "[+]etcd excluded: ok\n" in response.body
    assert 'no matches for "weather"' in response.body
