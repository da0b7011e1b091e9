"""NetworkPolicies: who reaches whom, as seen by what containers can call."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.cluster import Cluster

Object = dict[str, Any]

WEB_FROM_BOX = {"from": [{"podSelector": {"matchLabels": {"app": "box"}}}]}
DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}],
}


def create(cluster: Cluster, namespace: str, obj: Object) -> None:
    cluster.client().create(scheme.resource_of(obj), namespace, obj)


def pod(name: str, image: str, labels: Object, **container: Any) -> Object:
    containers = [{"name": "main", "image": image, **container}]
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


def policy(selector: Object, **spec: Any) -> Object:
    kinds = [kind for kind in ("Ingress", "Egress") if kind.lower() in spec]
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"},
        "spec": {"podSelector": {"matchLabels": selector} if selector else {}, "policyTypes": kinds, **spec},
    }  # fmt: skip


@pytest.fixture(scope="module")
def settled() -> Cluster:
    """``web`` behind a Service in ``default``, and a ``box`` to call it from in ``default`` and in ``team-b``."""
    cluster = Cluster()
    labels = {"team": "b"}
    create(cluster, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-b", "labels": labels}})
    cluster.advance(1)
    web = pod("web", "nginx:1.27", {"app": "web"}, ports=[{"name": "http", "containerPort": 80, "hostPort": 8080}])
    create(cluster, "default", web)
    spec = {"selector": {"app": "web"}, "ports": [{"port": 8000, "targetPort": 80}]}
    create(cluster, "default", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    for namespace in ("default", "team-b"):
        create(cluster, namespace, pod("box", "busybox:1.36", {"app": "box"}, command=["sleep", "infinity"]))
    cluster.advance(30)
    return cluster


@pytest.fixture
def cluster(settled: Cluster) -> Cluster:
    return settled.fork()


def run(cluster: Cluster, command: str, namespace: str = "default") -> int:
    box = cluster.client().get(scheme.PODS, namespace, "box")
    done = cluster.machines.exec(cluster.machines.of_pod[box["metadata"]["uid"]][-1], ("sh", "-c", command))
    return done.exit_code


def reaches(cluster: Cluster, namespace: str = "default", url: str = "http://web.default:8000") -> bool:
    return run(cluster, f"wget -qO- -T 2 {url}", namespace) == 0


def apply(cluster: Cluster, obj: Object, namespace: str = "default") -> Cluster:
    create(cluster, namespace, obj)
    cluster.settle()
    return cluster


def address(cluster: Cluster, name: str, namespace: str = "default") -> str:
    return str(cluster.client().get(scheme.PODS, namespace, name)["status"]["podIP"])


def test_without_policies_everybody_reaches_everybody(cluster: Cluster) -> None:
    assert reaches(cluster)
    assert reaches(cluster, "team-b")


def test_a_policy_without_rules_lets_nobody_in(cluster: Cluster) -> None:
    apply(cluster, policy({}, ingress=[]))
    assert not reaches(cluster)
    assert not reaches(cluster, "team-b")


def test_a_policy_holds_for_the_pods_that_it_selects_only(cluster: Cluster) -> None:
    apply(cluster, policy({"app": "something-else"}, ingress=[]))
    assert reaches(cluster)


def test_a_pod_selector_alone_means_pods_of_the_same_namespace(cluster: Cluster) -> None:
    apply(cluster, policy({"app": "web"}, ingress=[WEB_FROM_BOX]))
    assert reaches(cluster)
    assert not reaches(cluster, "team-b")


@pytest.mark.parametrize(("labels", "expected"), [({"team": "b"}, True), ({"team": "c"}, False), ({}, True)])
def test_a_namespace_selector_means_the_pods_of_the_namespaces_that_match(
    cluster: Cluster, labels: Object, expected: bool
) -> None:
    apply(cluster, policy({"app": "web"}, ingress=[{"from": [{"namespaceSelector": {"matchLabels": labels}}]}]))
    assert reaches(cluster, "team-b") is expected


def test_both_selectors_in_one_entry_must_match_and_in_two_entries_one_of_them(cluster: Cluster) -> None:
    strangers = {"podSelector": {"matchLabels": {"app": "nobody"}}}
    team = {"namespaceSelector": {"matchLabels": {"team": "b"}}}
    both = apply(cluster.fork(), policy({"app": "web"}, ingress=[{"from": [strangers | team]}]))
    either = apply(cluster.fork(), policy({"app": "web"}, ingress=[{"from": [strangers, team]}]))
    assert not reaches(both, "team-b")
    assert reaches(either, "team-b")


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([{"port": 80}], True),
        ([{"port": "http"}], True),
        ([{"port": 8000}], False),  # the port of the Service is not that of the pod
        ([{"port": "metrics"}], False),
        ([{"port": 70, "endPort": 90}], True),
        ([{"port": 81, "endPort": 90}], False),
        ([{"port": 80, "protocol": "UDP"}], False),
        ([{"protocol": "TCP"}], True),
    ],
)
def test_ports_are_those_of_the_pod_by_number_name_or_range(cluster: Cluster, ports: Any, expected: bool) -> None:
    apply(cluster, policy({"app": "web"}, ingress=[{"ports": ports}]))
    assert reaches(cluster) is expected


def test_a_block_of_addresses_but_for_some(cluster: Cluster) -> None:
    box = f"{address(cluster, 'box')}/32"
    inside = apply(cluster.fork(), policy({}, ingress=[{"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}]}]))
    block = {"cidr": "10.244.0.0/16", "except": [box]}
    without = apply(cluster.fork(), policy({}, ingress=[{"from": [{"ipBlock": block}]}]))
    assert reaches(inside)
    assert not reaches(without)
    assert reaches(without, "team-b")


def test_without_egress_not_even_names_are_found(cluster: Cluster) -> None:
    apply(cluster, policy({"app": "box"}, egress=[]))
    assert run(cluster, "nslookup web.default") == 1
    assert not reaches(cluster)
    assert reaches(cluster, "team-b")


def test_egress_to_the_name_server_only(cluster: Cluster) -> None:
    apply(cluster, policy({"app": "box"}, egress=[DNS]))
    assert run(cluster, "nslookup web.default") == 0
    assert not reaches(cluster)


def test_egress_to_the_name_server_and_to_some_pods(cluster: Cluster) -> None:
    to_web = {"to": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
    apply(cluster, policy({"app": "box"}, egress=[DNS, to_web]))
    assert reaches(cluster)


def test_both_sides_must_allow_a_connection(cluster: Cluster) -> None:
    apply(cluster, policy({"app": "web"}, ingress=[WEB_FROM_BOX]))
    closed = policy({"app": "box"}, egress=[DNS])
    closed["metadata"]["name"] = "closed"
    assert reaches(cluster)
    apply(cluster, closed)
    assert not reaches(cluster)


def test_policies_add_up_and_end_when_they_are_deleted(cluster: Cluster) -> None:
    apply(cluster, policy({}, ingress=[]))
    opening = policy({"app": "web"}, ingress=[{}])
    opening["metadata"]["name"] = "open"
    assert not reaches(cluster)
    apply(cluster, opening)
    assert reaches(cluster)
    for name in ("p", "open"):
        cluster.client().delete(scheme.NETWORKPOLICIES, "default", name)
    cluster.settle()
    assert reaches(cluster, "team-b")


def test_labels_count_as_they_are_now(cluster: Cluster) -> None:
    apply(cluster, policy({"app": "web"}, ingress=[WEB_FROM_BOX]))
    cluster.client().patch(scheme.PODS, "default", "box", {"metadata": {"labels": {"app": "other"}}})
    cluster.settle()
    assert not reaches(cluster)


def test_a_fork_follows_the_same_policies(cluster: Cluster) -> None:
    fork = apply(cluster, policy({}, ingress=[])).fork()
    assert not reaches(fork)


def test_the_kubelet_reaches_the_pods_of_its_node_whatever_policies_say(cluster: Cluster) -> None:
    apply(cluster, policy({}, ingress=[]))
    web = pod("probed", "nginx:1.27", {}, readinessProbe={"httpGet": {"path": "/", "port": 80}})
    create(cluster, "default", web)
    cluster.advance(10)
    conditions = cluster.client().get(scheme.PODS, "default", "probed")["status"]["conditions"]
    assert {one["type"]: one["status"] for one in conditions}["Ready"] == "True"


def test_a_host_port_leads_to_the_pod_that_has_it_and_policies_hold_there_too(cluster: Cluster) -> None:
    host = cluster.client().get(scheme.PODS, "default", "web")["status"]["hostIP"]
    assert reaches(cluster, url=f"http://{host}:8080")
    assert not reaches(cluster, url=f"http://{host}:8081")
    apply(cluster, policy({}, ingress=[]))
    assert not reaches(cluster, url=f"http://{host}:8080")
