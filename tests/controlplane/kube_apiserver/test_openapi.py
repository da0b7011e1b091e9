"""OpenAPI: what kubectl needs for create, apply and explain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery.errors import NotAcceptable
from autograder.controlplane.apimachinery.scheme import SERVED, ResourceType
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.kube_apiserver import openapi

GVK = "x-kubernetes-group-version-kind"


def get(address: str, **headers: str) -> Response:
    path, _, query = address.partition("?hash=")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = openapi.answer(Request("GET", path, {"hash": [query]} if query else {}, named))
    assert response is not None, address
    return response


def index() -> dict[str, str]:
    return {name: entry["serverRelativeURL"] for name, entry in json.loads(get("/openapi/v3").body)["paths"].items()}


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(index()[name]).body)
    return found


def test_the_index_leads_to_a_document_of_each_group_and_version() -> None:
    assert set(index()) == {row.root.strip("/") for row in SERVED}
    for address in index().values():
        response = get(address)
        assert response.code == 200 and "immutable" in response.headers["cache-control"]


def test_an_outdated_address_leads_to_the_right_one() -> None:
    response = get("/openapi/v3/apis/apps/v1?hash=OLD")
    assert (response.code, response.headers["location"]) == (301, index()["apis/apps/v1"])


def test_a_client_that_has_a_document_is_not_sent_it_again() -> None:
    for address in ("/openapi/v3", index()["api/v1"], "/openapi/v2"):
        assert get(address, if_none_match=get(address).headers["etag"]).code == 304


@pytest.mark.parametrize("row", [row for row in SERVED if "patch" in row.verbs], ids=lambda row: row.plural)
def test_each_kind_has_the_operation_that_kubectl_looks_for(row: ResourceType) -> None:
    gvk = {"group": row.group, "version": row.version, "kind": row.kind}
    paths = document(row.root.strip("/"))["paths"].values()
    patch = next(item["patch"] for item in paths if "patch" in item and item["patch"][GVK] == gvk)
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]


@pytest.mark.parametrize("name", sorted({row.root.strip("/") for row in SERVED}))
def test_every_reference_of_a_document_leads_somewhere(name: str) -> None:
    body = get(index()[name]).body.decode()
    schemas = json.loads(body)["components"]["schemas"]
    referred = {part.split('"')[0] for part in body.split('"$ref":"#/components/schemas/')[1:]}
    assert referred <= set(schemas)
    assert "$defs" not in body


def test_schemas_have_the_keys_by_which_lists_are_merged() -> None:
    schemas = document("apis/apps/v1")["components"]["schemas"]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert (containers["x-kubernetes-patch-merge-key"], containers["x-kubernetes-patch-strategy"]) == ("name", "merge")
    assert containers["items"] == {"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"}


def test_schemas_are_written_as_openapi_writes_them() -> None:
    pod = document("api/v1")["components"]["schemas"]["io.k8s.api.core.v1.Pod"]
    assert pod["type"] == "object"
    assert pod["properties"]["kind"]["type"] == "string" and "enum" not in pod["properties"]["kind"]
    assert pod["properties"]["spec"]["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    assert pod["properties"]["spec"]["description"]


def test_fields_of_a_closed_set_of_values_say_which() -> None:
    schemas = document("api/v1")["components"]["schemas"]
    policy = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["restartPolicy"]
    assert policy["enum"] == ["Always", "Never", "OnFailure"]
    assert policy["description"].endswith('Possible enum values:\n - `"Always"`\n - `"Never"`\n - `"OnFailure"`')
    embedded = schemas["io.k8s.api.core.v1.EphemeralContainer"]["properties"]["imagePullPolicy"]
    assert embedded["enum"] == ["Always", "IfNotPresent", "Never"]
    modes = schemas["io.k8s.api.core.v1.PersistentVolumeSpec"]["properties"]["accessModes"]
    assert "ReadWriteOnce" in modes["items"]["enum"] and "enum" not in modes
    assert "Possible enum values" not in modes["description"]


def test_values_are_explained() -> None:
    schemas = document("api/v1")["components"]["schemas"]
    protocol = schemas["io.k8s.api.core.v1.ServicePort"]["properties"]["protocol"]
    assert protocol["description"].endswith('\n - `"UDP"` is the UDP protocol.')
    effect = schemas["io.k8s.api.core.v1.Taint"]["properties"]["effect"]
    assert "Currently enforced by NodeController.\n" in effect["description"]
    assert "NoScheduleNoAdmit" not in effect["description"]


def test_types_that_are_a_plain_value_are_explained() -> None:
    schemas = document("api/v1")["components"]["schemas"]
    quantity = schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]["description"]
    assert "\n\nThe serialization format is:\n\n" in quantity and "protobuf" not in quantity
    assert schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["description"].endswith("a name or number.")


def test_the_older_document_is_to_be_had_as_json_and_as_protobuf() -> None:
    pod = json.loads(get("/openapi/v2").body)["definitions"]["io.k8s.api.core.v1.Pod"]
    assert pod["properties"]["spec"]["allOf"] == [{"$ref": "#/definitions/io.k8s.api.core.v1.PodSpec"}]
    response = get("/openapi/v2", accept=openapi.V2_PROTOBUF)
    assert response.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert b"is the UDP protocol." in response.body
    with pytest.raises(NotAcceptable):
        get("/openapi/v2", accept="text/html")


def fields(message: bytes) -> list[tuple[int, bytes]]:
    """The fields of a protobuf message that has texts and messages only."""
    found, at = [], 0
    while at < len(message):
        key, at = varint(message, at)
        length, at = varint(message, at)
        assert key & 7 == 2
        found.append((key >> 3, message[at : at + length]))
        at += length
    return found


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 128:
            return value, at


def test_protobuf_has_every_definition_with_the_kind_that_it_defines() -> None:
    document = dict(fields(get("/openapi/v2", accept=openapi.V2_PROTOBUF).body))
    assert document[1] == b"2.0" and dict(fields(document[2]))[1] == b"Kubernetes"
    named = [dict(fields(one)) for _, one in fields(document[9])]
    schemas = {one[1].decode(): fields(one[2]) for one in named}
    assert schemas.keys() == json.loads(get("/openapi/v2").body)["definitions"].keys()
    extensions = [dict(fields(value)) for number, value in schemas["io.k8s.api.apps.v1.Deployment"] if number == 31]
    kinds = next(dict(fields(one[2]))[2] for one in extensions if one[1] == b"x-kubernetes-group-version-kind")
    assert json.loads(kinds) == [{"group": "apps", "kind": "Deployment", "version": "v1"}]
    properties = dict(schemas["io.k8s.api.apps.v1.Deployment"])[25]
    spec = dict(fields(next(one[2] for one in (dict(fields(p)) for _, p in fields(properties)) if one[1] == b"spec")))
    assert spec[1] == b"#/definitions/io.k8s.api.apps.v1.DeploymentSpec" and 22 not in spec


def test_there_is_no_document_of_a_group_that_is_not_served() -> None:
    assert openapi.answer(Request("GET", "/openapi/v3/apis/nobody/v1")) is None
