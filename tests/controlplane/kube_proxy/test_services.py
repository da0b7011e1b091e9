"""Services: what a request to a name or an address meets, and the rules that make it so."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from autograder.controlplane.apimachinery.scheme import ENDPOINTSLICES, PODS, SERVICES
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.containers.network import Source
from autograder.controlplane.containers.routing import Endpoint, Rules, ServicePort
from autograder.controlplane.kube_proxy import iptables
from autograder.controlplane.kubelet.fleet import Kubelets
from autograder.controlplane.topology import node

Object = dict[str, Any]
SCRIPT = "hostname > /usr/share/nginx/html/index.html; exec nginx -g 'daemon off;'"


class World:
    """Two nginx that tell their names, ``a`` on worker-1 and ``b`` on worker-2, and a box to call them from."""

    def __init__(self) -> None:
        self.cluster = Cluster(nodes=[node("worker-1", "10.250.0.11"), node("worker-2", "10.250.0.12")])
        self.client = self.cluster.client()
        for name, host in (("a", "worker-1"), ("b", "worker-2")):
            self.pod(name, host, "nginx:1.27", ["sh", "-c", SCRIPT])
        self.pod("box", "worker-1", "busybox:1.36", ["sleep", "9999"])
        self.cluster.advance(3)

    def pod(self, name: str, host: str, image: str, command: list[str]) -> None:
        container = {"name": "c", "image": image, "command": command}
        self._create(PODS, {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": "web"} if name in "ab" else {}},
            "spec": {"nodeName": host, "containers": [container]},
        })  # fmt: skip

    def service(self, name: str, **spec: Any) -> Object:
        self._create(SERVICES, {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec},
        })  # fmt: skip
        self.cluster.advance(2)
        return self.client.get(SERVICES, "default", name)

    def sh(self, command: str) -> tuple[str, int]:
        """Run a command in the box: what it printed, and its exit code."""
        kubelets = self.cluster.component("kubelet")
        assert isinstance(kubelets, Kubelets)
        done = kubelets.exec("worker-1", "default", "box", "c", ("sh", "-c", command), "")
        return done.stdout + done.stderr, done.code

    def answers(self, url: str, count: int = 20) -> Counter[str]:
        return Counter(self.sh(f"wget -qO- {url}")[0].strip() for _ in range(count))

    def _create(self, kind: Any, obj: Object) -> None:
        self.client.create(kind, "default", json.dumps(obj).encode())  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "name", ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local", "web.default.svc.cluster.local."]
)
def test_a_service_is_called_by_its_name_and_spreads_requests(world: World, name: str) -> None:
    world.service("web")
    answers = world.answers(name)
    assert set(answers) == {"a", "b"}
    assert min(answers.values()) >= 4


def test_a_node_port_is_open_on_every_node(world: World) -> None:
    world.service("web", type="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    assert set(world.answers("10.250.0.11:30080")) == {"a", "b"}
    assert set(world.answers("10.250.0.12:30080")) == {"a", "b"}


def test_a_service_without_endpoints_refuses(world: World) -> None:
    address = world.service("none", selector={"app": "nothing"})["spec"]["clusterIP"]
    assert world.sh("wget -qO- none") == (f"wget: can't connect to remote host ({address}): Connection refused\n", 1)


def test_an_unready_pod_gets_no_requests(world: World) -> None:
    world.service("web")
    world.client.delete(PODS, "default", "a")
    world.cluster.advance(2)
    assert set(world.answers("web")) == {"b"}


def test_a_headless_service_resolves_to_its_pods(world: World) -> None:
    world.service("web", clusterIP="None")
    addresses = {world.client.get(PODS, "default", name)["status"]["podIP"] for name in "ab"}
    output = world.sh("nslookup web.default.svc.cluster.local")[0]
    assert all(f"Address: {address}\n" in output for address in addresses)


def test_an_external_name_stands_for_another(world: World) -> None:
    world.service("web")
    world.service("alias", type="ExternalName", externalName="web.default.svc.cluster.local", selector=None, ports=None)
    assert set(world.answers("alias")) == {"a", "b"}


def test_an_unknown_name_is_not_resolved(world: World) -> None:
    assert world.sh("wget -qO- nothing") == ("wget: bad address 'nothing'\n", 1)
    assert "NXDOMAIN" in world.sh("nslookup nothing")[0]


def test_a_container_is_told_whom_to_ask_for_names_and_where_to_search(world: World) -> None:
    told = world.sh("cat /etc/resolv.conf")[0]
    assert told.startswith("search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n")


def test_affinity_sends_a_client_to_one_pod(world: World) -> None:
    world.service("web", sessionAffinity="ClientIP")
    assert len(world.answers("web")) == 1


def test_internal_traffic_stays_on_the_node_if_it_must(world: World) -> None:
    world.service("web", internalTrafficPolicy="Local")
    assert set(world.answers("web")) == {"a"}


def test_external_traffic_finds_only_pods_of_the_node_if_it_must(world: World) -> None:
    world.service("web", type="NodePort", externalTrafficPolicy="Local", ports=[{"port": 80, "nodePort": 30080}])
    world.client.delete(PODS, "default", "b")
    world.cluster.advance(2)
    machines = world.cluster.machines
    outside = Source("192.0.2.1", "elsewhere")
    assert machines.wire.request(outside, "10.250.0.11:30080", lambda name: [name, name]).body == "a\n"
    with pytest.raises(Exception, match="timed out"):
        machines.wire.request(outside, "10.250.0.12:30080", lambda name: [name, name])


def test_rules_stay_as_they_are_while_kube_proxy_is_stopped(world: World) -> None:
    world.service("web")
    world.cluster.stop("kube-proxy")
    late = world.service("late")["spec"]["clusterIP"]
    assert set(world.answers("web")) == {"a", "b"}
    assert world.sh(f"wget -qO- -T 2 {late}")[1] == 1
    world.cluster.start("kube-proxy")
    world.cluster.settle()
    assert set(world.answers("late")) == {"a", "b"}


def test_a_fork_spreads_requests_as_its_parent_does(world: World) -> None:
    world.service("web")
    fork = object.__new__(World)
    fork.cluster = world.cluster.fork()
    assert [fork.sh("wget -qO- web") for _ in range(10)] == [world.sh("wget -qO- web") for _ in range(10)]


def test_chains_are_named_as_kube_proxy_names_them() -> None:
    port = ServicePort("default", "kubernetes", "https", "TCP", 443, ("10.96.0.1",), (), 0, 0, False, False, ())
    assert iptables.chain("SVC", port) == "KUBE-SVC-NPX46M4PTMTKRN6Y"


def test_iptables_save_shows_the_rules_of_a_service(world: World) -> None:
    address = world.service("web", type="NodePort", ports=[{"port": 80, "nodePort": 30080}])["spec"]["clusterIP"]
    lines = iptables.save(world.cluster.machines.rules, "worker-1").splitlines()
    chain = "KUBE-SVC-LOLE4ISW44XBNF3G"
    assert (f'-A KUBE-SERVICES -d {address}/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 '
            f"-j {chain}") in lines  # fmt: skip
    balanced = [line for line in lines if line.startswith(f"-A {chain} -m comment")]
    assert len(balanced) == 2
    assert "--probability 0.50000000000" in balanced[0]
    assert sum(line.startswith("-A KUBE-SEP-") and "DNAT" in line for line in lines) >= 2


def test_a_terminating_endpoint_serves_only_where_no_ready_one_is() -> None:
    ready = Endpoint("10.244.0.2", 80, "n", True, True, False)
    leaving = Endpoint("10.244.0.3", 80, "n", False, True, True)

    def usable(*endpoints: Endpoint) -> tuple[Endpoint, ...]:
        port = ServicePort("default", "web", "", "TCP", 80, ("10.96.0.9",), (), 0, 0, False, False, endpoints)
        return Rules({("default", "web", "/TCP"): port}).ports["default", "web", "/TCP"].usable("n", local=False)

    assert usable(ready, leaving) == (ready,)
    assert usable(leaving) == (leaving,)


@pytest.mark.parametrize(("labels", "found"), [({}, []), ({"kubernetes.io/service-name": "by-hand"}, ["10.244.9.9"])])
def test_the_endpoints_of_a_slice_count_for_the_service_that_its_label_names(
    world: World, labels: dict[str, str], found: list[str]
) -> None:
    world.service("by-hand", selector=None)
    world._create(ENDPOINTSLICES, {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "stray", "labels": labels},
        "addressType": "IPv4", "endpoints": [{"addresses": ["10.244.9.9"]}], "ports": [{"port": 80}],
    })  # fmt: skip
    world.cluster.settle()
    rules = world.cluster.machines.rules.ports
    assert [endpoint.ip for endpoint in rules["default", "by-hand", "/TCP"].endpoints] == found
    assert "10.244.9.9" not in {one.ip for key, port in rules.items() if key[1] != "by-hand" for one in port.endpoints}
