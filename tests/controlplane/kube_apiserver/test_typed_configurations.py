"""What server-side apply says of a configuration that does not fit its kind, and how it reads null and nothing."""

from __future__ import annotations

from typing import Any

import pytest
from asking import Object, World

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = "application/apply-patch+yaml"
PROBED: Object = {"livenessProbe": {"httpGet": {"port": 80}}}


@pytest.fixture
def world() -> World:
    return World()


def configuration(container: Object | None = None, **spec: Any) -> Object:
    labels = {"app": "web"}
    containers = spec.pop("containers", [{"name": "c", "image": "i", **(container or {})}])
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def applied(world: World, config: Object, query: str = "fieldManager=me") -> Any:
    return world.ask("PATCH", f"{DEPLOYMENTS}/web?{query}", body=config, content_type=APPLY)


C = '.spec.template.spec.containers[name="c"]'


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (configuration(replica=3), ".spec.replica: field not declared in schema"),
        (configuration({"imag": "x"}), f"{C}.imag: field not declared in schema"),
        ({**configuration(), "Spec": None}, ".Spec: field not declared in schema"),
        (configuration(replicas="3"), ".spec.replicas: expected numeric (int or float), got string"),
        (configuration(replicas={}), ".spec.replicas: expected numeric (int or float), got map[string]interface {}"),
        (configuration(replicas=True), ".spec.replicas: expected numeric (int or float), got bool"),
        (configuration(paused="yes"), ".spec.paused: expected boolean, got &{yes}"),
        (configuration({"image": 5}), f"{C}.image: expected string, got &value.valueUnstructured{{Value:5}}"),
        (configuration({"ports": {"a": [1, None]}}), f"{C}.ports: expected list, got &{{map[a:[1 <nil>]]}}"),
        (configuration({"resources": "x"}), f"{C}.resources: expected map, got &{{x}}"),
        (configuration({"resources": {"limits": {"cpu": {}}}}),
         f"{C}.resources.limits.cpu: expected any scalar, got &{{map[]}}"),
        (configuration({"env": [{"name": "A"}, {"name": "A"}]}), f'{C}.env: duplicate entries for key [name="A"]'),
        (configuration({"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]}),
         f'{C}.ports: duplicate entries for key [containerPort=80,protocol="TCP"]'),
        (configuration({"ports": [None]}),
         f"{C}.ports: element 0: associative list with keys may not have a null element"),
        (configuration({"ports": ["x"]}),
         f"{C}.ports: element 0: associative list with keys may not have non-map elements"),
        (configuration({"args": [1]}), f"{C}.args[0]: expected string, got &value.valueUnstructured{{Value:1}}"),
        (configuration(containers=[{"name": "c", "a": 1}, {"name": "d", "b": 1}]),
         f"errors:\n  {C}.a: field not declared in schema\n"
         '  .spec.template.spec.containers[name="d"].b: field not declared in schema'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("query", ["fieldManager=me", "fieldManager=me&fieldValidation=Strict&force=true"])
def test_a_configuration_that_does_not_fit_its_type_is_refused_as_a_whole(
    world: World, config: Object, why: str, query: str
) -> None:
    answer = applied(world, config, query)
    assert answer.code == 500
    assert answer.body["message"] == (
        f"failed to create typed patch object (default/web; apps/v1, Kind=Deployment): {why}"
    )


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (configuration(replicas=1.5), "cannot convert float64 to int32"),
        (configuration({"livenessProbe": {"httpGet": {"port": True}}}),
         "json: cannot unmarshal bool into Go value of type int32"),
        ({**configuration(), "metadata": {"name": "web", "namespace": "default", "creationTimestamp": "x"}},
         'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
    ],
)  # fmt: skip
def test_a_value_of_the_right_kind_may_make_no_sense(world: World, config: Object, why: str) -> None:
    answer = applied(world, config)
    assert answer.code == 500
    assert answer.body["message"] == (
        "failed to convert new object (default/web; apps/v1, Kind=Deployment) to proper version: "
        f"unable to convert unstructured object to apps/v1, Kind=Deployment: {why}"
    )


def test_data_that_is_no_base64_cannot_be_converted(world: World) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "%%%"}}
    path = "/api/v1/namespaces/default/secrets/s?fieldManager=me"
    answer = world.ask("PATCH", path, body=secret, content_type=APPLY)
    assert answer.body["message"].endswith("error decoding from json: illegal base64 data at input byte 0")


def test_an_entry_without_its_key_is_one_for_validation_to_refuse(world: World) -> None:
    answer = applied(world, configuration({"env": [{"value": "1"}]}))
    assert answer.body["message"].endswith("containers[0].env[0].name: Required value")


def test_an_entry_that_leaves_out_a_key_without_a_default_is_no_entry(world: World) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot"}, "secrets": [{"kind": "x"}]}
    path = "/api/v1/namespaces/default/serviceaccounts/bot?fieldManager=me"
    answer = world.ask("PATCH", path, body=account, content_type=APPLY)
    assert answer.body["message"] == (
        "failed to create typed patch object (/bot; /v1, Kind=ServiceAccount): .secrets: element 0: associative list "
        'with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key '
        "fields)"
    )


def test_whatever_an_object_may_carry_may_be_applied(world: World) -> None:
    """Texts of named types, amounts as numbers, times, and data of no schema."""
    config = configuration({"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}
    config["metadata"] |= {"ownerReferences": [owner], "finalizers": ["a.b/c"], "creationTimestamp": None}
    assert applied(world, config).code == 201
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r"}, "revision": 1}
    path = "/apis/apps/v1/namespaces/default/controllerrevisions/r?fieldManager=me"
    answer = world.ask("PATCH", path, body={**revision, "data": {"any": [1, {"x": "y"}]}}, content_type=APPLY)
    assert answer.code == 201
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}}
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l?fieldManager=me"
    spec = {"renewTime": "2026-01-01T00:00:00.000000Z", "leaseDurationSeconds": 5}
    assert world.ask("PATCH", path, body={**lease, "spec": spec}, content_type=APPLY).code == 201


def test_a_part_that_is_applied_no_more_goes_with_what_was_filled_in(world: World) -> None:
    probed = applied(world, configuration(PROBED)).body["spec"]["template"]["spec"]["containers"][0]
    assert probed["livenessProbe"]["periodSeconds"] == 10
    container = applied(world, configuration()).body["spec"]["template"]["spec"]["containers"][0]
    assert "livenessProbe" not in container


def test_null_takes_nothing_away_that_others_have_set(world: World) -> None:
    labelled = configuration()
    labelled["metadata"]["labels"] = {"app": "web"}
    assert applied(world, labelled).code == 201
    only = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": None}}
    assert applied(world, only, "fieldManager=other").body["metadata"]["labels"] == {"app": "web"}
    only["metadata"] = {"name": "web", "managedFields": None}
    assert applied(world, only, "fieldManager=other").code == 200
    assert applied(world, {**only, "metadata": None}, "fieldManager=other").code == 200


def test_an_empty_list_of_entries_is_owned_by_nobody(world: World) -> None:
    answer = applied(world, configuration({"ports": [], "args": []}))
    (entry,) = answer.body["metadata"]["managedFields"]
    container = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert sorted(container) == [".", "f:args", "f:image", "f:name"]
