"""What the API server says of create requests beside the rules of a kind: options, system fields, names."""

from __future__ import annotations

from typing import Any

import pytest
from asking import DEFAULT, Object, World


@pytest.fixture
def world() -> World:
    return World()


def refused(world: World, path: str, body: Object) -> tuple[int, str]:
    response = world.ask("POST", path, body=body)
    return response.code, response.body["message"]


CONFIG_MAP: Object = {"metadata": {"name": "c"}}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fieldValidation=strict", (
            'fieldValidation: Unsupported value: "strict": supported values: "", "Ignore", "Strict", "Warn"'
        )),
        ("fieldManager=" + 129 * "a", "fieldManager: Too long: may not be more than 128 bytes"),
        ("dryRun=Some", 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
    ],
)  # fmt: skip
def test_options_that_are_none(world: World, query: str, said: str) -> None:
    answer = refused(world, f"{DEFAULT}/configmaps?{query}", CONFIG_MAP)
    assert answer == (422, f'CreateOptions.meta.k8s.io "" is invalid: {said}')


def test_a_revision_is_the_servers_to_give(world: World) -> None:
    body = {"metadata": {"name": "c", "resourceVersion": "5"}}
    assert refused(world, f"{DEFAULT}/configmaps", body) == (
        500, "resourceVersion should not be set on objects to be created",
    )  # fmt: skip


def test_a_quota_is_asked_before_it_is_known_that_the_object_exists(world: World) -> None:
    quota = f"{DEFAULT}/resourcequotas"
    hard = {"count/configmaps": "1"}
    world.create(quota, {"metadata": {"name": "one"}, "spec": {"hard": hard}})
    status = {"hard": hard, "used": {"count/configmaps": "0"}}
    world.ask("PATCH", f"{quota}/one/status", body={"status": status}, content_type="application/merge-patch+json")
    world.create(f"{DEFAULT}/configmaps", CONFIG_MAP)
    code, said = refused(world, f"{DEFAULT}/configmaps", CONFIG_MAP)
    assert (code, said.partition(", ")[0]) == (403, 'configmaps "c" is forbidden: exceeded quota: one')


def test_names_are_shown_as_go_quotes_them(world: World) -> None:
    code, said = refused(world, f"{DEFAULT}/configmaps", {"metadata": {"name": "a\nb"}})
    assert (code, said[:32]) == (422, 'ConfigMap "a\\nb" is invalid: met')


def test_an_owner_named_twice_is_an_owner_once(world: World) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
    response = world.ask(
        "POST", f"{DEFAULT}/configmaps", body={"metadata": {"name": "c", "ownerReferences": [owner] * 2}}
    )
    assert response.body["metadata"]["ownerReferences"] == [owner]
    assert response.warnings[0].startswith(".metadata.ownerReferences contains duplicate entries; API server dedups")


@pytest.mark.parametrize("name", ["x", "kubernetes.io"])
def test_finalizers_without_a_domain_are_kubernetes_own(world: World, name: str) -> None:
    body = {"metadata": {"name": "c", "finalizers": [name]}}
    assert refused(world, f"{DEFAULT}/configmaps", body) == (422, (
        f'ConfigMap "c" is invalid: metadata.finalizers[0]: Invalid value: "{name}": '
        "name is neither a standard finalizer name nor is it fully qualified"
    ))  # fmt: skip


def test_a_body_of_a_malformed_media_type(world: World) -> None:
    response = world.ask("POST", f"{DEFAULT}/configmaps", body=CONFIG_MAP, content_type="application/json;x")
    assert response.code == 415


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"clusterIP": "10.0.0.1"}, (
            'spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: '
            "the provided network does not match the current range"
        )),
        ({"clusterIP": "10.96.7.7"}, (
            'spec.clusterIPs: Invalid value: ["10.96.7.7"]: failed to allocate IP 10.96.7.7: '
            'IPAddress.networking.k8s.io "10.96.7.7" is invalid: spec.parentRef.name: Required value'
        )),
    ],
)  # fmt: skip
def test_addresses_that_a_service_cannot_have(world: World, spec: Any, said: str) -> None:
    body = {"metadata": {}, "spec": {"ports": [{"port": 80}], **spec}}
    assert refused(world, f"{DEFAULT}/services", body) == (422, f'Service "" is invalid: {said}')


def test_a_health_check_port_out_of_range(world: World) -> None:
    spec = {
        "type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 70000, "ports": [{"port": 80}],
    }  # fmt: skip
    assert refused(world, f"{DEFAULT}/services", {"metadata": {"name": "s"}, "spec": spec}) == (500, (
        "Internal error occurred: failed to allocate requested HealthCheck NodePort 70000: "
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    ))  # fmt: skip
