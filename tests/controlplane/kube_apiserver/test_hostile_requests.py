"""What no honest client sends is refused in the words of a real server, and never ends in anything else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from asking import DEFAULT, Object, World

CONFIG_MAPS = f"{DEFAULT}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CRON_JOBS = "/apis/batch/v1/namespaces/default/cronjobs"
PODS = f"{DEFAULT}/pods"
#: More digits than Python converts.
DIGITS = 5000 * "9"

POD_SPEC: Object = {"containers": [{"name": "c", "image": "nginx"}]}
TEMPLATE: Object = {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC}


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.create(CONFIG_MAPS, {"metadata": {"name": "there", "finalizers": ["example.com/kept"]}})
    world.create(DEPLOYMENTS, deployment("web"))
    return world


def deployment(name: str, **spec: Any) -> Object:
    own = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
    return {"metadata": {"name": name}, "spec": {**own, **spec}}


def refused(world: World, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    response = world.ask(method, path, body=body, **headers)
    return response.code, response.body["message"]


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("revision", ["²", "٣", "-5", DIGITS], ids=["square", "arabic", "negative", "digits"])
def test_a_revision_that_is_no_number_does_not_hinder_a_create(world: World, revision: str) -> None:
    body = {"metadata": {"generateName": "c-", "resourceVersion": revision}}
    world.create(f"{CONFIG_MAPS}?dryRun=All", body)
    assert world.ask("POST", CONFIG_MAPS, body=body).code == 201


@pytest.mark.parametrize(
    ("revision", "why"), [("٣", "invalid syntax"), ("-5", "invalid syntax"), (DIGITS, "value out of range")],
    ids=["arabic", "negative", "digits"],
)  # fmt: skip
def test_an_update_must_name_a_revision_that_is_a_number(world: World, revision: str, why: str) -> None:
    body = {"metadata": {"name": "there", "resourceVersion": revision}}
    expected = (500, f'strconv.ParseUint: parsing "{revision}": {why}')
    assert refused(world, "PUT", f"{CONFIG_MAPS}/there", body) == expected


def test_zeros_before_a_revision_change_nothing(world: World) -> None:
    there = world.ask("GET", f"{CONFIG_MAPS}/there").body
    body = {**there, "metadata": {**there["metadata"], "resourceVersion": f"00{there['metadata']['resourceVersion']}"}}
    assert world.ask("PUT", f"{CONFIG_MAPS}/there", body=body).code == 200


@pytest.mark.parametrize("number", [f"{DIGITS}%", DIGITS])
def test_a_share_of_any_length_is_too_large(world: World, number: str) -> None:
    body = deployment("other", strategy={"rollingUpdate": {"maxUnavailable": number}})
    code, said = refused(world, "POST", DEPLOYMENTS, body)
    assert (code, number in said) == (422, True)
    assert ("must not be greater than 100%" in said) is number.endswith("%")


@pytest.mark.parametrize("cost", [DIGITS, f"-{DIGITS}", "+1", "01", "", "ten"])
def test_a_deletion_cost_has_32_bits(world: World, cost: str) -> None:
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost}
    code, said = refused(world, "POST", PODS, {"metadata": {"name": "p", "annotations": annotations}, "spec": POD_SPEC})
    assert (code, said.endswith("must be a 32bit integer")) == (422, True)


@pytest.mark.parametrize("bound", ["99999999999999999999", "five", ""])
def test_labels_are_compared_with_integers_of_64_bits(world: World, bound: str) -> None:
    code, said = refused(world, "GET", f"{CONFIG_MAPS}?labelSelector=a>{bound}")
    assert (code, said) == (400, (
        f"unable to parse requirement: values[0]: Invalid value: \"{bound}\": for 'Gt', 'Lt' operators, the value must "
        "be an integer"
    ))  # fmt: skip


# ---------------------------------------------------------------- patches

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
UNPROCESSABLE = "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/metadata/finalizers/--0"},
        {"op": "remove", "path": f"/metadata/finalizers/{DIGITS}"},
        {"op": "remove", "path": ""},
        {"op": "add", "path": "", "value": {}},
        {"op": "copy", "from": "", "path": "/data"},
        {"op": "replace", "path": "", "value": 5},
        {"op": "test", "path": "/immutable", "value": False},
        {"op": "test", "path": "/metadata/finalizers/0", "value": ["example.com/kept"]},
        {"op": "test"},
    ],
    ids=str,
)
def test_an_operation_that_cannot_be_carried_out(world: World, operation: Object) -> None:
    answer = refused(world, "PATCH", f"{CONFIG_MAPS}/there", [operation], content_type=JSON_PATCH)
    assert answer == (422, UNPROCESSABLE)


@pytest.mark.parametrize(("value", "code"), [(1, 200), (True, 422), (1.0, 422)])
def test_a_json_patch_tells_1_from_true(world: World, value: Any, code: int) -> None:
    patch: Any = [{"op": "test", "path": "/spec/replicas", "value": value}]
    assert world.ask("PATCH", f"{DEPLOYMENTS}/web", body=patch, content_type=JSON_PATCH).code == code


def test_what_is_not_there_is_null_to_a_json_patch(world: World) -> None:
    patch: Any = [
        {"op": "test", "path": "/immutable", "value": None},
        {"op": "copy", "from": "/immutable", "path": "/binaryData"},
        {"op": "test", "path": "/metadata/finalizers/+0", "value": "example.com/kept"},
    ]
    assert world.ask("PATCH", f"{CONFIG_MAPS}/there", body=patch, content_type=JSON_PATCH).code == 200


def in_pod_spec(**fields: Any) -> Object:
    return {"spec": {"template": {"spec": fields}}}


@pytest.mark.parametrize(
    ("patch", "answer"),
    [
        ({"spec": {"replicas": {"a": 1}}}, (422, (
            ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:map[a:1]]]": unrecognized type: int32'
        ))),
        ({"spec": {"strategy": {"$retainKeys": 5}}}, (400, "invalid patch format of retainKeys")),
        ({"spec": {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}}},
         (400, "invalid patch format of retainKeys")),
        (in_pod_spec(**{"$setElementOrder/containers": "c"}),
         (500, "expected a []interface {}, but received a string")),
        (in_pod_spec(**{"$setElementOrder/containers": None}),
         (500, "expected a []interface {}, but received a %!s(<nil>)")),
        (in_pod_spec(containers=[{"name": "c", "$patch": "merge"}]),
         (500, "merging lists cannot yet be specified in the patch")),
        (in_pod_spec(containers=[{"$patch": "delete"}]),
         (500, "map: map[$patch:delete] does not contain declared merge key: name")),
        ({"spec": {"$patch": "merge"}}, (500, "unknown patch type: merge in map: map[$patch:merge]")),
    ],
    ids=str,
)  # fmt: skip
def test_a_strategic_patch_that_makes_no_sense(world: World, patch: Object, answer: tuple[int, str]) -> None:
    assert refused(world, "PATCH", f"{DEPLOYMENTS}/web", patch, content_type=STRATEGIC) == answer


def test_entries_of_a_list_are_of_one_type(world: World) -> None:
    code, said = refused(world, "PATCH", f"{DEPLOYMENTS}/web", in_pod_spec(containers=["c"]), content_type=STRATEGIC)
    assert (code, said.partition(":")[0], said[-5:]) == (500, "list element types are not identical", " [c]]")


def test_entries_of_a_new_list_are_for_validation_to_judge(world: World) -> None:
    patch = in_pod_spec(volumes=[{"emptyDir": {}}])
    assert refused(world, "PATCH", f"{DEPLOYMENTS}/web", patch, content_type=STRATEGIC) == (422, (
        'Deployment.apps "web" is invalid: spec.template.spec.volumes[0].name: Required value'
    ))  # fmt: skip


@pytest.mark.parametrize("removed", [5, "example.com/kept", {"a": 1}])
def test_only_a_list_says_what_goes_from_a_list(world: World, removed: Any) -> None:
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": removed}}
    kept = world.ask("PATCH", f"{CONFIG_MAPS}/there", body=patch, content_type=STRATEGIC)
    assert (kept.code, kept.body["metadata"]["finalizers"]) == (200, ["example.com/kept"])


@pytest.mark.parametrize(
    ("media_type", "patch", "code"),
    [
        (MERGE, {"metadata": "x"}, 422),
        (MERGE, {"metadata": None}, 400),
        (JSON_PATCH, [{"op": "remove", "path": "/metadata"}], 400),
        (JSON_PATCH, [{"op": "replace", "path": "", "value": []}], 422),
        ("application/apply-patch+yaml", {"spec": {"replicas": 1}}, 501),
    ],
)
def test_a_patch_after_which_there_is_no_scale(world: World, media_type: str, patch: Any, code: int) -> None:
    path = f"{DEPLOYMENTS}/web/scale?fieldManager=me"
    assert world.ask("PATCH", path, body=patch, content_type=media_type).code == code


@pytest.mark.parametrize("annotations", [["a"], "a", 5])
def test_annotations_are_a_map_to_an_apply(world: World, annotations: Any) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "there", "annotations": annotations}}
    path = f"{CONFIG_MAPS}/there?fieldManager=kubectl&force=true"
    code, said = refused(world, "PATCH", path, config, content_type="application/apply-patch+yaml")
    assert (code, ".metadata.annotations: expected map, got " in said) == (500, True)


# ---------------------------------------------------------------- JSON within texts

DEEP = 100_000 * "["
MAX_DEPTH = "exceeded max depth"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (DEEP, MAX_DEPTH),
        ("{", "unexpected end of JSON input"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (DIGITS, "json: cannot unmarshal number into Go value of type map[string]interface {}"),
    ],
    ids=["deep", "broken", "list", "digits"],
)
def test_a_configuration_of_docker_is_an_object(world: World, content: str, why: str) -> None:
    data = {".dockerconfigjson": base64.b64encode(content.encode()).decode()}
    body = {"metadata": {"name": "s"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    code, said = refused(world, "POST", f"{DEFAULT}/secrets", body)
    assert (code, said.partition('redacted>": ')[2]) == (422, why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (DEEP, MAX_DEPTH),
        ("[", "unexpected end of JSON input"),
        ('[{"key": 5}]', "json: cannot unmarshal number into Go struct field Toleration.key of type string"),
    ],
    ids=["deep", "broken", "number"],
)
def test_annotated_tolerations_are_a_list(world: World, text: str, why: str) -> None:
    name = "scheduler.alpha.kubernetes.io/tolerations"
    body = {"metadata": {"name": "p", "annotations": {name: text}}, "spec": POD_SPEC}
    assert refused(world, "POST", PODS, body) == (
        422, f'Pod "p" is invalid: metadata.annotations: Invalid value: "{name}": {why}',
    )  # fmt: skip


@pytest.mark.parametrize("step", [f"v:{DEEP}", "k:5", "k:{", "x:y"], ids=["deep", "number", "broken", "unknown"])
def test_fields_that_cannot_be_read_are_managed_by_nobody(world: World, step: str) -> None:
    entry = {
        "manager": "m",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {step: {}},
    }
    created = world.create(
        CONFIG_MAPS, {"metadata": {"generateName": "m-", "managedFields": [entry]}, "data": {"a": "b"}}
    )
    assert [one["manager"] for one in created["metadata"]["managedFields"]] == ["unknown"]


@pytest.mark.parametrize(
    "annotation",
    [
        {"conditions": '[{"type": 5}]'},
        {"conditions": "5"},
        {"metrics": DEEP},
        {"metrics": '[{"type": "Object", "object": {"targetValue": NaN}}]'},
        {"metrics": f'[{{"type": "Object", "object": {{"targetValue": {DIGITS}}}}}]'},
        {"current-metrics": "[[]]"},
        {"behavior": DEEP},
        {"behavior": '{"ScaleUp": {"Policies": 3}}'},
    ],
    ids=lambda annotation: str(annotation)[:40],
)
def test_annotations_of_an_old_autoscaler_that_cannot_be_read_are_passed_over(world: World, annotation: Object) -> None:
    annotations = {f"autoscaling.alpha.kubernetes.io/{name}": text for name, text in annotation.items()}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    created = world.create(
        "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
        {"metadata": {"generateName": "h-", "annotations": annotations},
         "spec": {"scaleTargetRef": target, "maxReplicas": 3}},
    )  # fmt: skip
    assert created["metadata"].get("annotations", {}) == {}
    assert created["spec"]["targetCPUUtilizationPercentage"] == 80


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (DEEP, MAX_DEPTH),
        ("{", "unexpected end of JSON input"),
        ("[]", "json: cannot unmarshal array into Go value of type storage.continueToken"),
        ('{"v": []}', "json: cannot unmarshal array into Go struct field continueToken.v of type string"),
        ('{"rv": true}', "json: cannot unmarshal bool into Go struct field continueToken.rv of type int64"),
        (
            f'{{"rv": {2**63}}}',
            f"json: cannot unmarshal number {2**63} into Go struct field continueToken.rv of type int64",
        ),
        ("null", "server does not recognize this encoded version "),
    ],
    ids=["deep", "broken", "list", "version", "bool", "large", "null"],
)
def test_a_token_that_no_server_has_made(world: World, content: str, why: str) -> None:
    token = base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
    assert refused(world, "GET", f"{CONFIG_MAPS}?continue={token}") == (
        400, f"invalid continue token: continue key is not valid: {why}",
    )  # fmt: skip


def test_a_number_of_any_length_is_told_as_it_was_written(world: World) -> None:
    code, said = refused(world, "POST", DEPLOYMENTS, deployment("d", replicas=10**30))
    expected = f"json: cannot unmarshal number {10**30} into Go struct field DeploymentSpec.spec.replicas of type int32"
    assert (code, said.partition(": ")[2]) == (400, expected)


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0987-06-05T04:03:02Z", "0987-06-05T04:03:02Z"),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T01:00:00+01:00", None),
    ],
)
def test_times_of_long_ago_are_spelt_as_others_are(world: World, given: str, kept: str | None) -> None:
    about = {"kind": "Pod", "namespace": "default", "name": "p"}
    event = {"metadata": {"generateName": "e-"}, "involvedObject": about, "firstTimestamp": given}
    assert world.create(f"{DEFAULT}/events", event)["firstTimestamp"] == kept


def test_fewer_pods_than_none(world: World) -> None:
    code, message = refused(
        world, "PATCH", f"{DEPLOYMENTS}/web/status", {"status": {"replicas": -1}},
        content_type="application/merge-patch+json",
    )  # fmt: skip
    assert code == 422
    assert "status.replicas: Invalid value: -1: must be greater than or equal to 0" in message
    assert "status.readyReplicas: Invalid value: 0: cannot be greater than status.replicas" in message
