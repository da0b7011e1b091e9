"""What admission plugins complete and refuse that look at a few kinds only."""

from __future__ import annotations

from typing import Any

import pytest
from asking import DEFAULT, Object, World

from autograder.controlplane.apimachinery.wire import Response

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
CLAIM = f"{DEFAULT}/persistentvolumeclaims/data"
MERGE = "application/merge-patch+json"


@pytest.fixture
def world() -> World:
    return World()


def refusal(world: World, method: str, path: str, body: Object, **headers: str) -> str:
    answer = world.ask(method, path, body=body, **headers)
    assert answer.code == 403, answer.body
    return str(answer.body["message"])


# ---------------------------------------------------------------- runtime classes


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"runtimeClassName": "gvisor"}, 'RuntimeClass "gvisor" not found'),
        ({"overhead": {"cpu": "1"}}, "Pod Overhead set without corresponding RuntimeClass defined Overhead"),
    ],
)
def test_there_are_no_runtime_classes(world: World, spec: Object, why: str) -> None:
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    assert refusal(world, "POST", f"{DEFAULT}/pods", pod) == f'pods "web" is forbidden: pod rejected: {why}'


# ---------------------------------------------------------------- where nodes stand

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


def test_a_pod_is_labelled_by_where_its_node_stands(world: World) -> None:
    world.create("/api/v1/nodes", {"metadata": {"name": "n", "labels": {ZONE: "a", REGION: "r", "other": "x"}}})
    world.create("/api/v1/nodes", {"metadata": {"name": "nowhere"}})
    for name, node, labels in (("bound", "n", {ZONE: "a", REGION: "r"}), ("unlabelled", "nowhere", {})):
        pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        world.create(f"{DEFAULT}/pods", pod)
        world.create(f"{DEFAULT}/pods/{name}/binding", {"metadata": {"name": name}, "target": {"name": node}})
        assert world.ask("GET", f"{DEFAULT}/pods/{name}").body["metadata"].get("labels", {}) == labels
        placed = {
            "metadata": {"name": f"{name}-at-once", "labels": {ZONE: "b"}},
            "spec": {**pod["spec"], "nodeName": node},
        }
        at_once = world.create(f"{DEFAULT}/pods", placed)["metadata"]["labels"]
        assert at_once == {ZONE: "b", **labels}


# ---------------------------------------------------------------- classes of Ingresses


def ingress_class(world: World, name: str, default: str = "true") -> None:
    annotations = {"ingressclass.kubernetes.io/is-default-class": default}
    body = {"metadata": {"name": name, "annotations": annotations}, "spec": {"controller": "example.com/c"}}
    world.create(INGRESS_CLASSES, body)


def class_given(world: World, **annotations: str) -> Any:
    backend = {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
    body = {"metadata": {"generateName": "web-", "annotations": annotations}, "spec": backend}
    return world.create(INGRESSES, body)["spec"].get("ingressClassName")


def test_an_ingress_gets_the_newest_default_class(world: World) -> None:
    assert class_given(world) is None
    ingress_class(world, "other", default="false")
    assert class_given(world) is None
    ingress_class(world, "second")
    ingress_class(world, "first")
    assert class_given(world) == "first"
    world.advance(1)
    ingress_class(world, "third")
    assert class_given(world) == "third"


def test_an_ingress_that_names_its_class_in_an_annotation_gets_none(world: World) -> None:
    ingress_class(world, "nginx")
    assert class_given(world, **{"kubernetes.io/ingress.class": "other"}) is None


# ---------------------------------------------------------------- pods that are resized


def resized(world: World, node: Object | None, change: Object, **spec: Any) -> Response:
    """What is answered to who changes a pod, which is bound to ``n``, through its part ``resize``."""
    if node is not None:
        world.create("/api/v1/nodes", {"metadata": {"name": "n", **node.get("metadata", {})}})
        world.ask("PATCH", "/api/v1/nodes/n/status", body={"status": node.get("status", {})}, content_type=MERGE)
    pod = {"containers": [{"name": "c", "image": "i"}], "nodeName": "n", **spec}
    world.create(f"{DEFAULT}/pods", {"metadata": {"name": "web"}, "spec": pod})
    merge = "application/strategic-merge-patch+json"
    return world.ask("PATCH", f"{DEFAULT}/pods/web/resize", body={"spec": change}, content_type=merge)


LARGE: Object = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3", "memory": "2Gi"}}}]}
ROOM: Object = {"allocatable": {"cpu": "2", "memory": "1Gi"}}


@pytest.mark.parametrize(
    ("node", "why", "reason"),
    [
        (None, 'node "n" not found', None),
        (
            {"status": ROOM},
            "node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: 2000; "
            "memory, requested: 2147483648, allocatable: 1073741824",
            "NodeCapacity",
        ),
        (
            {"metadata": {"labels": {"kubernetes.io/os": "windows"}}},
            'pod resize is only supported on linux nodes, node "n" is "windows"',
            "UnsupportedPlatform",
        ),
    ],
)
def test_a_pod_is_not_resized_beyond_its_node(world: World, node: Object | None, why: str, reason: str | None) -> None:
    answer = resized(
        world, node, LARGE, containers=[{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]
    )
    assert (answer.code, answer.body["message"]) == (403, f'pods "web" is forbidden: {why}')
    assert answer.body["details"].get("causes") == ([{"reason": reason}] if reason else None)


@pytest.mark.parametrize(("declared", "code"), [([], 403), (["InPlacePodVerticalScalingInitContainers"], 200)])
def test_an_init_container_is_resized_where_the_node_says_that_it_can(
    world: World, declared: list[str], code: int
) -> None:
    def init(cpu: str) -> list[Object]:
        return [{"name": "i", "image": "i", "resources": {"requests": {"cpu": cpu}}}]

    node = {"status": {"allocatable": {"cpu": "4", "memory": "1Gi"}, "declaredFeatures": declared}}
    answer = resized(world, node, {"initContainers": init("2")}, initContainers=init("1"))
    assert answer.code == code, answer.body
    if code == 403:
        features = "InPlacePodVerticalScalingInitContainers which are not available"
        why = f'pod update requires features {features} on node "n"'
        assert answer.body["message"] == f'pods "web" is forbidden: {why}'


# ---------------------------------------------------------------- claims that grow


def claim(world: World, phase: str, storage_class: str = "") -> None:
    if storage_class:
        grows = storage_class == "elastic"
        body = {"metadata": {"name": storage_class}, "provisioner": "p", "allowVolumeExpansion": grows}
        world.create(STORAGE_CLASSES, body)
    spec: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    world.create(
        f"{DEFAULT}/persistentvolumeclaims",
        {"metadata": {"name": "data"}, "spec": {**spec, "storageClassName": storage_class, "volumeName": "v"}},
    )
    world.ask("PATCH", f"{CLAIM}/status", body={"status": {"phase": phase}}, content_type=MERGE)


LARGER: Object = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}


@pytest.mark.parametrize("storage_class", ["", "rigid"])
def test_a_bound_claim_does_not_grow_unless_its_class_lets_it(world: World, storage_class: str) -> None:
    claim(world, "Bound", storage_class)
    assert refusal(world, "PATCH", CLAIM, LARGER, content_type=MERGE) == (
        'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the '
        "storageclass that provisions the pvc must support resize"
    )


def test_a_bound_claim_grows_if_its_class_lets_it(world: World) -> None:
    claim(world, "Bound", "elastic")
    assert world.ask("PATCH", CLAIM, body=LARGER, content_type=MERGE).code == 200


# ---------------------------------------------------------------- volumes


def test_only_some_volumes_are_annotated_with_mount_options(world: World) -> None:
    annotations = {"volume.beta.kubernetes.io/mount-options": "ro"}
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    nfs, path = {"nfs": {"server": "s", "path": "/"}}, {"hostPath": {"path": "/data"}}
    body = {"metadata": {"name": "data", "annotations": annotations}}
    assert world.ask("POST", "/api/v1/persistentvolumes?dryRun=All", body={**body, "spec": {**spec, **nfs}}).code == 201
    answer = world.ask("POST", "/api/v1/persistentvolumes", body={**body, "spec": {**spec, **path}})
    said = "Forbidden: may not specify mount options for this volume type"
    field = "metadata.annotations.volume.beta.kubernetes.io/mount-options"
    assert (answer.code, answer.body["message"]) == (422, f'PersistentVolume "data" is invalid: {field}: {said}')


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(("resource", "most", "stated"), [("cpu", "2", "3"), ("hugepages-2Mi", "4Mi", "8Mi")])
def test_a_limit_range_bounds_what_a_pod_states_as_a_whole(world: World, resource: str, most: str, stated: str) -> None:
    limits = [{"type": "Pod", "max": {resource: most}}]
    world.create(f"{DEFAULT}/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": limits}})
    spec = {"containers": [{"name": "c", "image": "i"}], "resources": {"limits": {"cpu": "1", resource: stated}}}
    said = refusal(world, "POST", f"{DEFAULT}/pods", {"metadata": {"name": "p"}, "spec": spec})
    assert said == (
        f'pods "p" is forbidden: maximum {resource} usage per Pod is {most}, but limit is {stated}'
    )  # fmt: skip


# ---------------------------------------------------------------- default classes of storage


@pytest.mark.parametrize("mark", ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"])
def test_a_claim_gets_the_newest_default_class(world: World, mark: str) -> None:
    def storage_class(name: str, **annotations: str) -> None:
        world.create(STORAGE_CLASSES, {"metadata": {"name": name, "annotations": annotations}, "provisioner": "p"})

    marked = {f"{mark}/is-default-class": "true"}
    storage_class("old", **marked)
    world.advance(1)
    for name in ("b", "a"):
        storage_class(name, **marked)
    world.advance(1)
    storage_class("newer")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = world.create(f"{DEFAULT}/persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": spec})
    assert claim["spec"]["storageClassName"] == "a"
