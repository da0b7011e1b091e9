"""The nodes of a kind cluster are known to exercises as those of any other."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.clusters.kind.names import NodeTranslation, by_known_name

NODES = by_known_name("course", ["course-control-plane", "course-worker", "course-worker2"])


@pytest.fixture
def names() -> NodeTranslation:
    return NodeTranslation(NODES)


def test_workers_are_numbered_from_one() -> None:
    assert NODES == {"control-plane": "course-control-plane", "worker-1": "course-worker", "worker-2": "course-worker2"}
    many = by_known_name("c", ["c-control-plane", *(f"c-worker{number or ''}" for number in (10, 2, 0))])
    assert [many[f"worker-{number}"] for number in (1, 2, 3)] == ["c-worker", "c-worker2", "c-worker10"]


@pytest.mark.parametrize(
    ("obj", "there"),
    [
        ({"spec": {"nodeName": "worker-2"}}, {"spec": {"nodeName": "course-worker2"}}),
        (
            {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}},
            {"nodeSelector": {"kubernetes.io/hostname": "course-worker"}},
        ),
        (
            {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-1", "x"]}]},
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": ["course-worker", "x"]}
                ]
            },
        ),
        (
            {"kind": "Node", "metadata": {"name": "worker-1"}, "spec": {}},
            {"kind": "Node", "metadata": {"name": "course-worker"}, "spec": {}},
        ),
        ({"metadata": {"name": "worker-1", "labels": {"app": "worker-2"}}}, None),
        ({"data": {"text": "worker-1"}}, None),
    ],
)
def test_what_means_a_node_is_rewritten_and_nothing_else(names: NodeTranslation, obj: Any, there: Any) -> None:
    assert names.inward(obj) == (there or obj)


def test_what_comes_back_names_the_nodes_as_exercises_do(names: NodeTranslation) -> None:
    text = '"nodeName":"course-worker2" "etcd-course-control-plane" "course-worker" "course-workers"'
    assert names.text_out(text) == '"nodeName":"worker-2" "etcd-control-plane" "worker-1" "course-workers"'


def test_namespaces_are_told_apart_from_nodes(names: NodeTranslation) -> None:
    names.add("worker", "course-worker-1a2b3c4d")
    assert names.text_out("course-worker-1a2b3c4d on course-worker") == "worker on worker-1"


def test_field_selectors_name_nodes_too(names: NodeTranslation) -> None:
    assert names.fields_in("spec.nodeName=worker-1,status.phase=Running") == (
        "spec.nodeName=course-worker,status.phase=Running"
    )
    assert names.fields_in("spec.nodeName!=worker-2") == "spec.nodeName!=course-worker2"
    assert names.fields_in("metadata.name=worker-1", "nodes") == "metadata.name=course-worker"
    assert names.fields_in("metadata.name=worker-1", "pods", "default") == "metadata.name=worker-1"


def test_events_about_a_node_are_found_by_its_name_and_by_its_name_as_uid(names: NodeTranslation) -> None:
    about = "involvedObject.kind=Node,involvedObject.name=worker-1,involvedObject.uid=worker-1"
    assert names.fields_in(about, "events") == about.replace("worker-1", "course-worker")
    assert names.fields_in("involvedObject.kind=Pod,involvedObject.name=worker-1", "events", "default") == (
        "involvedObject.kind=Pod,involvedObject.name=worker-1"
    )


def test_events_are_found_if_nobody_says_what_they_are_about(names: NodeTranslation) -> None:
    assert names.fields_in("involvedObject.name=worker-1", "events") == "involvedObject.name=course-worker"
    about = "involvedObject.name=etcd-control-plane"
    assert names.fields_in(about, "events", "kube-system") == "involvedObject.name=etcd-course-control-plane"
    assert names.fields_in("involvedObject.name=web", "events", "default") == "involvedObject.name=web"


def test_static_pods_of_other_namespaces_are_known_once_they_were_shown(names: NodeTranslation) -> None:
    assert names.object("pods", "default", "hello-worker-1") == "hello-worker-1"
    assert names.text_out("pod/hello-course-worker deleted") == "pod/hello-worker-1 deleted"
    assert names.object("pods", "default", "hello-worker-1") == "hello-course-worker"
    assert names.object("pods", "default", "web-worker-1") == "web-worker-1"


@pytest.mark.parametrize(
    ("plural", "namespace", "name", "there"),
    [
        ("nodes", "", "worker-2", "course-worker2"),
        ("csinodes", "", "worker-2", "course-worker2"),
        ("leases", "kube-node-lease", "control-plane", "course-control-plane"),
        ("pods", "kube-system", "etcd-control-plane", "etcd-course-control-plane"),
        ("pods", "kube-system", "web-worker-2", "web-course-worker2"),
        ("pods", "kube-system", "kube-proxy-x7k2p", "kube-proxy-x7k2p"),
        ("pods", "default", "web-worker-2", "web-worker-2"),
        ("configmaps", "kube-system", "of-worker-2", "of-worker-2"),
    ],
)
def test_static_pods_and_what_belongs_to_a_node_are_called_after_it(
    names: NodeTranslation, plural: str, namespace: str, name: str, there: str
) -> None:
    assert names.object(plural, namespace, name) == there


@pytest.mark.parametrize(
    ("line", "there"),
    [
        (
            "curl -s http://control-plane:30080 | grep Hostname",
            "curl -s http://course-control-plane:30080 | grep Hostname",
        ),
        ("curl http://worker-2/page", "curl http://course-worker2/page"),
        ("ping -c 1 worker-1", "ping -c 1 course-worker"),
        ("root@worker-1; echo 'nodeName: worker-2'", "root@course-worker; echo 'nodeName: course-worker2'"),
        ("kubectl get nodes -l node-role.kubernetes.io/control-plane", None),
        ("ls /srv/worker-1 worker-1.yaml hello-worker-1 worker-10", None),
    ],
)
def test_on_a_node_the_others_are_reached_by_the_names_that_lessons_know(
    names: NodeTranslation, line: str, there: str | None
) -> None:
    assert names.command(line) == (there or line)
