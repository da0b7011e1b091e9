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


def test_an_entry_without_its_key_is_one_for_validation_to_refuse(world: World) -> None:
    answer = applied(world, configuration({"env": [{"value": "1"}]}))
    assert answer.body["message"].endswith("containers[0].env[0].name: Required value")


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
