"""Cluster IPs and node ports of Services: what is given, what is taken, and what is said where it cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
from asking import DEFAULT, Object, World

SERVICES = f"{DEFAULT}/services"
HTTP: Object = {"name": "http", "port": 80}
TAKEN, RANGE = (
    "provided port is already allocated",
    "provided port is not in the valid range. The range of valid ports is",
)


def service(*ports: Object, name: str = "web", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"type": "NodePort", "ports": list(ports), **spec}}


@pytest.fixture
def world() -> World:
    """A Service has node port 30080, and another cluster IP 10.96.0.77."""
    world = World()
    world.create(SERVICES, service({**HTTP, "nodePort": 30080}, name="first", clusterIP="10.96.0.77"))
    return world


def node_ports(world: World, asked: Object, query: str = "") -> list[int]:
    return [port["nodePort"] for port in world.create(f"{SERVICES}{query}", asked)["spec"]["ports"]]


@pytest.mark.parametrize(
    ("ports", "index", "number", "why"),
    [
        ([{**HTTP, "nodePort": 30080}], 0, 30080, TAKEN),
        ([{**HTTP, "nodePort": 30080, "protocol": "UDP"}], 0, 30080, TAKEN),
        (
            [{**HTTP, "nodePort": 30081}, {"name": "b", "port": 81, "nodePort": 30081, "protocol": "UDP"}],
            1,
            30081,
            TAKEN,
        ),
        ([{**HTTP, "nodePort": 80}], 0, 80, f"{RANGE} 30000-32767"),
        ([{**HTTP, "nodePort": 32768}], 0, 32768, f"{RANGE} 30000-32767"),
    ],
)
def test_a_node_port_that_cannot_be_had(world: World, ports: list[Object], index: int, number: int, why: str) -> None:
    answer = world.ask("POST", SERVICES, body=service(*ports))
    said = f'Service "web" is invalid: spec.ports[{index}].nodePort: Invalid value: {number}: {why}'
    assert (answer.code, answer.body["message"]) == (422, said)


def test_entries_of_one_port_share_a_node_port(world: World) -> None:
    udp = {"name": "dns", "port": 80, "protocol": "UDP"}
    first, second = node_ports(world, service(HTTP, udp))
    assert first == second
    assert node_ports(world, service(HTTP, {**udp, "nodePort": 30090}, name="given")) == [30090, 30090]


def test_a_change_keeps_what_the_service_had_and_takes_what_is_free(world: World) -> None:
    path = f"{SERVICES}/first"
    both = service({**HTTP, "nodePort": 30080}, {"name": "b", "port": 81}, name="first", clusterIP="10.96.0.77")
    kept, added = (port["nodePort"] for port in world.ask("PUT", path, body=both).body["spec"]["ports"])
    assert kept == 30080 and added != kept
    twice = service(
        {"port": 80, "nodePort": 30081}, {"port": 80, "nodePort": 30081}, name="first", clusterIP="10.96.0.77"
    )
    answer = world.ask("PUT", path, body=twice)
    assert (answer.code, answer.body["message"]) == (500, "duplicate nodePort: {TCP 30081}")


def test_what_is_only_tried_takes_nothing(world: World) -> None:
    tried = service({**HTTP, "nodePort": 80}, {"name": "b", "port": 81}, clusterIP="10.96.0.77")
    assert node_ports(world, tried, "?dryRun=All") == [80, 81]
    assert node_ports(world, service(HTTP), "?dryRun=All") == [32769]
    assert world.create(f"{SERVICES}?dryRun=All", service(HTTP))["spec"]["clusterIP"] == "10.96.0.0"


def test_a_cluster_ip_that_cannot_be_had(world: World) -> None:
    for address, why in (
        ("10.96.0.77", "provided IP is already allocated"),
        ("10.97.0.1", "the provided network does not match the current range"),
    ):
        answer = world.ask("POST", SERVICES, body=service(HTTP, clusterIP=address))
        said = f'Invalid value: ["{address}"]: failed to allocate IP {address}: {why}'
        assert answer.body["message"] == f'Service "web" is invalid: spec.clusterIPs: {said}'


def test_a_service_that_is_there_already_holds_its_address_against_another_of_its_name(world: World) -> None:
    again = service(HTTP, name="first", clusterIP="10.96.0.77")
    assert "provided IP is already allocated" in world.ask("POST", SERVICES, body=again).body["message"]
    assert world.ask("POST", SERVICES, body=service(HTTP, name="first")).body["reason"] == "AlreadyExists"
