"""Probes: when a container counts as started, ready and alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.controlplane.kubelet.conftest import World

Object = dict[str, Any]


@pytest.mark.parametrize(
    ("handler", "ready"),
    [
        ({"httpGet": {"port": 80}}, True),
        ({"httpGet": {"port": "web"}}, True),
        ({"httpGet": {"port": 80, "path": "/missing"}}, False),
        ({"httpGet": {"port": 8080}}, False),
        ({"tcpSocket": {"port": 80}}, True),
        ({"tcpSocket": {"port": 81}}, False),
        ({"exec": {"command": ["true"]}}, True),
        ({"exec": {"command": ["cat", "/tmp/ready"]}}, False),
        ({"exec": {"command": ["sleep", "5"]}}, False),
    ],
)
def test_readiness_is_what_the_probe_says(world: World, handler: Object, ready: bool) -> None:
    world.run("web", {"readinessProbe": handler, "ports": [{"containerPort": 80, "name": "web"}]}, seconds=5)
    assert world.container("web")["ready"] == ready
    assert world.conditions("web")["Ready"] == str(ready)
    assert world.pod("web")["status"]["phase"] == "Running"


@pytest.mark.parametrize(
    ("handler", "output"),
    [
        ({"httpGet": {"port": 80, "path": "/missing"}}, "HTTP probe failed with statuscode: 404"),
        ({"httpGet": {"port": 81}}, 'Get "http://{ip}:81/": dial tcp {ip}:81: connect: connection refused'),
        ({"tcpSocket": {"port": 81}}, "dial tcp {ip}:81: connect: connection refused"),
        ({"exec": {"command": ["cat", "/x"]}}, "cat: can't open '/x': No such file or directory\n"),
        ({"exec": {"command": ["sleep", "5"]}}, 'command timed out: "sleep 5" timed out after 1s'),
    ],
)
def test_a_failing_probe_is_told_in_the_words_of_the_kubelet(world: World, handler: Object, output: str) -> None:
    ip = world.run("web", {"readinessProbe": handler}, seconds=3)["status"]["podIP"]
    assert ("Warning", "Unhealthy", f"Readiness probe failed: {output.format(ip=ip)}") in world.events("web")


def test_readiness_waits_for_its_delay_and_follows_what_changes(world: World) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "initialDelaySeconds": 5, "periodSeconds": 2}
    script = "touch /tmp/ready; sleep 20; rm /tmp/ready; sleep 9999"
    world.sh("app", script, container={"readinessProbe": probe}, seconds=3)
    assert not world.container("app")["ready"]
    world.cluster.advance(4)
    assert world.container("app")["ready"]
    world.cluster.advance(21)
    assert not world.container("app")["ready"]
    assert world.container("app")["restartCount"] == 0


def test_liveness_restarts_a_container(world: World) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/healthy"]}, "initialDelaySeconds": 5, "periodSeconds": 5}
    script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
    world.sh("app", script, container={"livenessProbe": probe}, terminationGracePeriodSeconds=5, seconds=30)
    assert world.container("app")["restartCount"] == 0
    world.cluster.advance(25)
    assert world.container("app")["restartCount"] == 1
    assert world.container("app")["lastState"]["terminated"]["exitCode"] == 137
    assert ("Normal", "Killing", "Container c failed liveness probe, will be restarted") in world.events("app")


def test_a_startup_probe_holds_the_others_back(world: World) -> None:
    started = {"exec": {"command": ["test", "-f", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 30}
    alive = {"exec": {"command": ["test", "-f", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 1}
    container = {"startupProbe": started, "livenessProbe": alive, "readinessProbe": alive}
    world.sh("app", "sleep 10; touch /tmp/started; sleep 9999", container=container, seconds=8)
    assert (world.container("app")["started"], world.container("app")["ready"]) == (False, False)
    world.cluster.advance(6)
    assert (world.container("app")["started"], world.container("app")["ready"]) == (True, True)
    assert world.container("app")["restartCount"] == 0


def test_a_startup_probe_that_never_succeeds_restarts_the_container(world: World) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 3}
    world.sh("app", "sleep 9999", container={"startupProbe": probe}, terminationGracePeriodSeconds=2, seconds=10)
    assert world.container("app")["restartCount"] == 1
    assert ("Normal", "Killing", "Container c failed startup probe, will be restarted") in world.events("app")


def test_a_readiness_gate_is_opened_by_somebody_else(world: World) -> None:
    world.run("web", readinessGates=[{"conditionType": "example.com/checked"}])
    ready = next(one for one in world.pod("web")["status"]["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    assert world.conditions("web")["ContainersReady"] == "True"


def test_a_verdict_that_could_not_be_told_is_told_when_the_api_server_is_back(world: World) -> None:
    world.run("web", {"readinessProbe": {"httpGet": {"port": 80}, "initialDelaySeconds": 10, "periodSeconds": 5}})
    world.cluster.stop("kube-apiserver")
    world.cluster.advance(60)
    world.cluster.start("kube-apiserver")
    assert world.conditions("web")["Ready"] == "False"
    world.cluster.advance(5)
    assert world.conditions("web")["Ready"] == "True"


def test_a_probe_that_goes_on_to_succeed_writes_nothing(world: World) -> None:
    probe = {
        "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1},
        "livenessProbe": {"tcpSocket": {"port": 80}},
    }
    before = world.run("web", probe, seconds=30)
    world.cluster.advance(300)
    assert world.pod("web") == before
