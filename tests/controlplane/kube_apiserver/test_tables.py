"""The tables of ``kubectl get``: columns, and cells that follow from objects."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.scheme import BY_KIND, DEPLOYMENTS, PODS, RESOURCES, ResourceType
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_apiserver.tables import table
from autograder.controlplane.kube_apiserver.tables.ages import age, human

CREATED = "2026-01-01T09:00:00Z"
NOW = timestamps.parse(CREATED) + 130 * SECOND

RUNNING = {"running": {"startedAt": CREATED}}


def row(api_version: str, kind: str, **fields: Any) -> list[Any]:
    metadata = {"name": "x", "creationTimestamp": CREATED, **fields.pop("metadata", {})}
    obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
    return table(BY_KIND[api_version, kind], [obj], now=NOW)["rows"][0]["cells"]


def pod(status: dict[str, Any], *, containers: int = 1, **fields: Any) -> list[Any]:
    spec = {"containers": [{"name": f"c{i}"} for i in range(containers)], **fields.pop("spec", {})}
    return row("v1", "Pod", spec=spec, status=status, **fields)


def container(state: dict[str, Any], *, ready: bool = False, name: str = "c0", **fields: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": 0, "state": state, **fields}


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


def ended(code: int, **fields: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **fields}}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (130, "2m10s"), (599, "9m59s"),
        (600, "10m"), (3 * 3600 - 1, "179m"), (3 * 3600, "3h"), (5 * 3600 + 180, "5h3m"), (8 * 3600, "8h"),
        (47 * 3600, "47h"), (48 * 3600, "2d"), (50 * 3600, "2d2h"), (8 * 86400, "8d"), (729 * 86400, "729d"),
        (730 * 86400, "2y"), (800 * 86400, "2y70d"), (8 * 365 * 86400, "8y"),
    ],
)  # fmt: skip
def test_a_duration_has_two_or_three_figures(seconds: int, text: str) -> None:
    assert human(seconds * SECOND) == text


def test_part_of_a_second_does_not_count() -> None:
    assert human(1_999_999) == "1s"
    assert human(-1_999_999) == "0s"


def test_an_age_without_a_time_is_unknown() -> None:
    assert age(None, NOW) == "<unknown>"


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: f"{kind.api_version}/{kind.kind}")
def test_every_kind_has_described_columns_and_a_cell_for_each(kind: ResourceType) -> None:
    metadata = {"name": "x", "creationTimestamp": CREATED}
    shown = table(kind, [{"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}], now=NOW)
    assert len(shown["rows"][0]["cells"]) == len(shown["columnDefinitions"])
    assert all(column["description"] for column in shown["columnDefinitions"])


def test_a_table_carries_metadata_of_the_list_and_of_each_row() -> None:
    obj = {"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {}}
    shown = table(PODS, [obj], now=NOW, metadata={"resourceVersion": "7"})
    assert (shown["kind"], shown["apiVersion"], shown["metadata"]) == (
        "Table",
        "meta.k8s.io/v1",
        {"resourceVersion": "7"},
    )
    assert shown["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"],
    }  # fmt: skip


def test_rows_carry_what_is_asked_for() -> None:
    obj = {"metadata": {"name": "x"}}
    assert table(PODS, [obj], now=NOW, include_object="Object")["rows"][0]["object"] is obj
    assert table(PODS, [obj], now=NOW, include_object="None")["rows"][0]["object"] is None
    with pytest.raises(BadRequest, match="includeObject"):
        table(PODS, [obj], now=NOW, include_object="Everything")


def test_a_table_without_headers_has_no_columns() -> None:
    assert table(PODS, [], now=NOW, no_headers=True)["columnDefinitions"] is None


def test_wide_columns_have_priority_one() -> None:
    columns = {column["name"]: column["priority"] for column in table(PODS, [], now=NOW)["columnDefinitions"]}
    assert [name for name, priority in columns.items() if priority == 0] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
    ]
    assert [name for name, priority in columns.items() if priority == 1] == [
        "IP", "Node", "Nominated Node", "Readiness Gates",
    ]  # fmt: skip


def test_a_kind_without_a_table_shows_when_it_was_created() -> None:
    assert row("v1", "LimitRange") == ["x", CREATED]


READY = {"type": "Ready", "status": "True"}
INITIALIZED = {"type": "Initialized", "status": "True"}


@pytest.mark.parametrize(
    ("status", "ready", "text"),
    [
        ({"phase": "Pending"}, "0/1", "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, "0/1", "Evicted"),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]},
            "0/1", "SchedulingGated",
        ),
        ({"phase": "Running", "containerStatuses": [container(RUNNING, ready=True)]}, "1/1", "Running"),
        ({"phase": "Running", "containerStatuses": [container(RUNNING)]}, "0/1", "Running"),
        ({"phase": "Pending", "containerStatuses": [container(waiting("ErrImagePull"))]}, "0/1", "ErrImagePull"),
        ({"phase": "Succeeded", "containerStatuses": [container(ended(0, reason="Completed"))]}, "0/1", "Completed"),
        ({"phase": "Failed", "containerStatuses": [container(ended(1, reason="Error"))]}, "0/1", "Error"),
        ({"phase": "Failed", "containerStatuses": [container(ended(3))]}, "0/1", "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [container(ended(137, signal=9))]}, "0/1", "Signal:9"),
    ],
)  # fmt: skip
def test_the_status_of_a_pod_is_that_of_its_container(status: dict[str, Any], ready: str, text: str) -> None:
    assert pod(status)[1:3] == [ready, text]


def test_the_first_container_in_trouble_speaks_for_the_pod() -> None:
    statuses = [container(waiting("CrashLoopBackOff")), container(waiting("ImagePullBackOff"), name="c1")]
    assert pod({"phase": "Pending", "containerStatuses": statuses}, containers=2)[2] == "CrashLoopBackOff"


@pytest.mark.parametrize(
    ("others", "conditions", "text"),
    [
        ([container(RUNNING, ready=True, name="c1")], [READY], "Running"),
        ([container(RUNNING, ready=True, name="c1")], [], "NotReady"),
        ([container(ended(1, reason="Error"), name="c1")], [], "Error"),
    ],
)
def test_a_completed_first_container_does_not_hide_the_others(
    others: list[Any], conditions: list[Any], text: str
) -> None:
    statuses = [container(ended(0, reason="Completed")), *others]
    shown = pod({"phase": "Running", "containerStatuses": statuses, "conditions": conditions}, containers=2)
    assert shown[2] == text


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (waiting("PodInitializing"), "Init:1/2"),
        (waiting("CrashLoopBackOff"), "Init:CrashLoopBackOff"),
        (RUNNING, "Init:1/2"),
        (ended(1, reason="Error"), "Init:Error"),
        (ended(2), "Init:ExitCode:2"),
        (ended(137, signal=9), "Init:Signal:9"),
    ],
)
def test_an_init_container_that_has_not_succeeded_is_shown_first(state: dict[str, Any], text: str) -> None:
    status = {
        "phase": "Pending",
        "initContainerStatuses": [container(ended(0), name="i0"), container(state, name="i1")],
        "containerStatuses": [container(waiting("PodInitializing"))],
    }
    assert pod(status, spec={"initContainers": [{"name": "i0"}, {"name": "i1"}]})[1:3] == ["0/1", text]


def test_a_sidecar_counts_as_a_container() -> None:
    status = {
        "phase": "Running",
        "conditions": [INITIALIZED],
        "initContainerStatuses": [container(RUNNING, ready=True, name="side", started=True, restartCount=2)],
        "containerStatuses": [container(RUNNING, ready=True, restartCount=1)],
    }
    spec = {"initContainers": [{"name": "side", "restartPolicy": "Always"}]}
    assert pod(status, spec=spec)[1:4] == ["2/2", "Running", "3"]


def test_restarts_of_init_containers_do_not_count_once_the_pod_runs() -> None:
    status = {
        "phase": "Running",
        "initContainerStatuses": [container(ended(0), name="i0", restartCount=5)],
        "containerStatuses": [container(RUNNING, ready=True)],
    }
    assert pod(status, spec={"initContainers": [{"name": "i0"}]})[3] == "0"


def test_restarts_say_when_the_last_one_was() -> None:
    last = ended(1, finishedAt="2026-01-01T09:02:00Z")
    status = {"phase": "Running", "containerStatuses": [container(RUNNING, restartCount=3, lastState=last)]}
    assert pod(status)[3] == "3 (10s ago)"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"phase": "Running"}, "Terminating"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
        ({"phase": "Succeeded"}, "Succeeded"),
    ],
)
def test_a_pod_that_is_being_deleted(status: dict[str, Any], text: str) -> None:
    assert pod(status, metadata={"deletionTimestamp": CREATED})[2] == text


def test_the_wide_cells_of_a_pod() -> None:
    status = {"phase": "Running", "podIPs": [{"ip": "10.244.1.2"}], "conditions": [{"type": "gate", "status": "True"}]}
    spec = {"nodeName": "worker-1", "readinessGates": [{"conditionType": "gate"}, {"conditionType": "other"}]}
    assert pod(status, spec=spec)[5:] == ["10.244.1.2", "worker-1", "<none>", "1/2"]


def test_ended_pods_carry_a_row_condition() -> None:
    obj = {"metadata": {"name": "x"}, "status": {"phase": "Succeeded"}}
    assert table(PODS, [obj], now=NOW)["rows"][0]["conditions"][0]["reason"] == "Succeeded"
    assert "conditions" not in table(PODS, [{"metadata": {"name": "x"}}], now=NOW)["rows"][0]


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "nginx"}, {"name": "b", "image": "busybox"}]}}
SELECTOR = {
    "matchLabels": {"app": "web"},
    "matchExpressions": [
        {"key": "tier", "operator": "In", "values": ["y", "x"]},
        {"key": "zone", "operator": "DoesNotExist"},
        {"key": "a", "operator": "Exists"},
    ],
}


@pytest.mark.parametrize(
    ("api_version", "kind", "fields", "cells"),
    [
        (
            "apps/v1", "Deployment",
            {
                "spec": {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE},
                "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
            },
            ["x", "1/3", 2, 1, "2m10s", "a,b", "nginx,busybox", "a,app=web,tier in (x,y),!zone"],
        ),
        (
            "apps/v1", "ReplicaSet", {"spec": {"replicas": 3, "template": TEMPLATE}, "status": {"replicas": 2}},
            ["x", 3, 2, 0, "2m10s", "a,b", "nginx,busybox", "<none>"],
        ),
        (
            "v1", "ReplicationController", {"spec": {"selector": {"b": "2", "a": "1"}, "template": TEMPLATE}},
            ["x", 0, 0, 0, "2m10s", "a,b", "nginx,busybox", "a=1,b=2"],
        ),
        (
            "apps/v1", "StatefulSet", {"spec": {"replicas": 2, "template": TEMPLATE}, "status": {"readyReplicas": 2}},
            ["x", "2/2", "2m10s", "a,b", "nginx,busybox"],
        ),
        (
            "apps/v1", "DaemonSet",
            {
                "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
                "status": {"desiredNumberScheduled": 3, "numberReady": 1},
            },
            ["x", 3, 0, 1, 0, 0, "<none>", "2m10s", "a,b", "nginx,busybox", "app=web"],
        ),
        (
            "batch/v1", "Job",
            {
                "spec": {"completions": 2, "template": TEMPLATE},
                "status": {
                    "succeeded": 2, "startTime": CREATED, "completionTime": "2026-01-01T09:00:12Z",
                    "conditions": [{"type": "Complete", "status": "True"}],
                },
            },
            ["x", "Complete", "2/2", "12s", "2m10s", "a,b", "nginx,busybox", "<none>"],
        ),
        (
            "batch/v1", "Job", {"spec": {"parallelism": 3, "template": TEMPLATE}, "status": {"startTime": CREATED}},
            ["x", "Running", "0/1 of 3", "2m10s", "2m10s", "a,b", "nginx,busybox", "<none>"],
        ),
        (
            "batch/v1", "CronJob", {"spec": {"schedule": "* * * * *", "suspend": False}},
            ["x", "* * * * *", "<none>", "False", 0, "<none>", "2m10s", "", "", "<none>"],
        ),
        (
            "apps/v1", "ControllerRevision",
            {
                "metadata": {
                    "ownerReferences": [
                        {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web", "controller": True}
                    ]
                },
                "revision": 4,
            },
            ["x", "daemonset.apps/web", 4, "2m10s"],
        ),
        (
            "v1", "Service",
            {
                "spec": {
                    "type": "NodePort", "clusterIPs": ["10.96.0.7"], "selector": {"app": "web"},
                    "ports": [
                        {"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"},
                    ],
                }
            },
            ["x", "NodePort", "10.96.0.7", "<none>", "80:30080/TCP,53/UDP", "2m10s", "app=web"],
        ),
        (
            "v1", "Service", {"spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.7"]}},
            ["x", "LoadBalancer", "10.96.0.7", "<pending>", "<none>", "2m10s", "<none>"],
        ),
        (
            "v1", "Service", {"spec": {"type": "ExternalName", "externalName": "example.org"}},
            ["x", "ExternalName", "<none>", "example.org", "<none>", "2m10s", "<none>"],
        ),
        ("v1", "Endpoints", {}, ["x", "<none>", "2m10s"]),
        (
            "v1", "Endpoints",
            {"subsets": [{"addresses": [{"ip": f"10.0.0.{i}"} for i in range(5)], "ports": [{"port": 80}]}]},
            ["x", "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more...", "2m10s"],
        ),
        (
            "discovery.k8s.io/v1", "EndpointSlice",
            {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [{"addresses": ["10.0.0.1"]}]},
            ["x", "IPv4", "80", "10.0.0.1", "2m10s"],
        ),
        (
            "discovery.k8s.io/v1", "EndpointSlice", {"addressType": "IPv4"},
            ["x", "IPv4", "<unset>", "<unset>", "2m10s"],
        ),
        (
            "networking.k8s.io/v1", "Ingress",
            {"spec": {"rules": [{"host": f"{name}.org"} for name in "abc"] + [{}], "tls": [{}]}},
            ["x", "<none>", "a.org,b.org,c.org + 1 more...", "", "80, 443", "2m10s"],
        ),
        ("networking.k8s.io/v1", "Ingress", {"spec": {"rules": [{}]}}, ["x", "<none>", "*", "", "80", "2m10s"]),
        (
            "networking.k8s.io/v1", "IngressClass",
            {
                "metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
                "spec": {"controller": "c", "parameters": {"apiGroup": "g", "kind": "K", "name": "n"}},
            },
            ["x (default)", "c", "K.g/n", "2m10s"],
        ),
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {}}}, ["x", "<none>", "2m10s"]),
        ("v1", "ConfigMap", {"data": {"a": "1"}, "binaryData": {"b": ""}}, ["x", 2, "2m10s"]),
        ("v1", "Secret", {"type": "Opaque", "data": {"a": ""}}, ["x", "Opaque", 1, "2m10s"]),
        (
            "v1", "ResourceQuota",
            {"status": {"hard": {"pods": "3", "limits.cpu": "2", "cpu": "1"}, "used": {"pods": "1", "cpu": "0"}}},
            ["x", "cpu: 0/1, pods: 1/3", "limits.cpu: 0/2", "2m10s"],
        ),
        (
            "policy/v1", "PodDisruptionBudget",
            {"spec": {"minAvailable": "50%"}, "status": {"disruptionsAllowed": 1}},
            ["x", "50%", "N/A", 1, "2m10s"],
        ),
        (
            "autoscaling/v2", "HorizontalPodAutoscaler",
            {
                "spec": {
                    "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5,
                    "metrics": [
                        {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
                        {"type": "Pods", "pods": {"target": {"averageValue": "10"}}},
                        {"type": "External", "external": {"target": {"value": "1"}}},
                    ],
                },
            },
            ["x", "Deployment/web", "cpu: <unknown>/80%, <unknown>/10 + 1 more...", "<unset>", 5, 0, "2m10s"],
        ),
        ("v1", "Namespace", {"status": {"phase": "Active"}}, ["x", "Active", "2m10s"]),
        (
            "v1", "Node",
            {
                "metadata": {"labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "a"}},
                "spec": {"unschedulable": True},
                "status": {
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "addresses": [{"type": "InternalIP", "address": "10.0.0.9"}],
                    "nodeInfo": {"kubeletVersion": "v1.36.2", "kernelVersion": "6.1", "architecture": "amd64"},
                },
            },
            [
                "x", "Ready,SchedulingDisabled", "a,control-plane", "2m10s", "v1.36.2", "10.0.0.9", "<none>",
                "<unknown>", "6.1 (amd64)", "<unknown>",
            ],
        ),
        (
            "v1", "Event",
            {
                "firstTimestamp": CREATED, "lastTimestamp": "2026-01-01T09:02:00Z", "count": 4, "type": "Warning",
                "reason": "Failed", "message": " it failed\n", "source": {"component": "kubelet", "host": "worker-1"},
                "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
            },
            [
                "10s", "Warning", "Failed", "pod/p", "spec.containers{c}", "kubelet, worker-1", "it failed", "2m10s",
                4, "x",
            ],
        ),
        (
            "events.k8s.io/v1", "Event",
            {
                "eventTime": "2026-01-01T09:02:00.000000Z", "type": "Normal", "reason": "Scheduled", "note": "done",
                "reportingController": "scheduler", "regarding": {"kind": "Pod", "name": "p"},
            },
            ["10s", "Normal", "Scheduled", "pod/p", "", "scheduler", "done", "10s", 1, "x"],
        ),
        (
            "scheduling.k8s.io/v1", "PriorityClass", {"value": 7, "preemptionPolicy": "Never"},
            ["x", 7, False, "2m10s", "Never"],
        ),
        (
            "rbac.authorization.k8s.io/v1", "RoleBinding",
            {
                "roleRef": {"kind": "Role", "name": "r"},
                "subjects": [
                    {"kind": "User", "name": "u"}, {"kind": "User", "name": "v"}, {"kind": "Group", "name": "g"},
                    {"kind": "ServiceAccount", "namespace": "ns", "name": "s"},
                ],
            },
            ["x", "Role/r", "2m10s", "u, v", "g", "ns/s"],
        ),
        (
            "v1", "PersistentVolume",
            {
                "spec": {
                    "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
                    "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "ns", "name": "c"},
                    "storageClassName": "fast", "volumeMode": "Filesystem",
                },
                "status": {"phase": "Bound"},
            },
            ["x", "1Gi", "RWO,RWX", "Retain", "Bound", "ns/c", "fast", "<unset>", "", "2m10s", "Filesystem"],
        ),
        (
            "v1", "PersistentVolumeClaim", {"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}},
            ["x", "Pending", "", "", "", "fast", "<unset>", "2m10s", "<unset>"],
        ),
        (
            "storage.k8s.io/v1", "StorageClass",
            {
                "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                "provisioner": "p", "volumeBindingMode": "WaitForFirstConsumer",
            },
            ["x (default)", "p", "Delete", "WaitForFirstConsumer", False, "2m10s"],
        ),
    ],
)  # fmt: skip
def test_the_cells_of_a_kind(api_version: str, kind: str, fields: dict[str, Any], cells: list[Any]) -> None:
    assert row(api_version, kind, **fields) == cells


def test_the_scale_of_a_workload_has_a_table_of_its_own() -> None:
    scale = {
        "metadata": {"name": "x", "creationTimestamp": CREATED},
        "spec": {"replicas": 3},
        "status": {"replicas": 2},
    }
    shown = table(DEPLOYMENTS, [scale], now=NOW, subresource="scale")
    assert [column["name"] for column in shown["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert shown["rows"][0]["cells"] == ["x", 3, 2, "2m10s"]
