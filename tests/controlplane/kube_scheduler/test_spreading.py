"""Pods that are to be spread, kept together or kept apart."""

from __future__ import annotations

from typing import Any

import pytest
from scheduling_world import Object, World, node

from autograder.controlplane.apimachinery.scheme import NAMESPACES, NODES, PODS, REPLICASETS, SERVICES

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
WEB = {"matchLabels": {"app": "web"}}


def zoned(name: str, zone: str, **more: Any) -> Object:
    return node(name, labels={ZONE: zone}, **more)


@pytest.fixture
def world() -> World:
    return World(zoned("a1", "a"), zoned("a2", "a"), zoned("b1", "b"))


def constraint(key: str = ZONE, skew: int = 1, when: str = "DoNotSchedule", **more: Any) -> Object:
    return {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": WEB, **more}


def web(world: World, name: str, **spec: Any) -> str:
    return world.schedule(name, labels={"app": "web"}, **spec)


def zones(world: World, names: list[str]) -> dict[str, int]:
    found = [world.node_of(name)[:1] for name in names]
    return {zone: found.count(zone) for zone in sorted(set(found))}


def test_domains_stay_within_the_skew(world: World) -> None:
    names = [f"p{number}" for number in range(6)]
    for name in names:
        web(world, name, topologySpreadConstraints=[constraint()])
    assert zones(world, names) == {"a": 3, "b": 3}


def test_a_full_domain_says_so(world: World) -> None:
    world.patch(NODES, "b1", {"spec": {"unschedulable": True}})
    names = [f"p{number}" for number in range(2)]
    assert [bool(web(world, name, topologySpreadConstraints=[constraint()])) for name in names] == [True, False]
    assert world.message("p1").startswith(
        "0/3 nodes are available: 1 node(s) were unschedulable, "
        "2 node(s) didn't match pod topology spread constraints. "
    )


def test_a_node_without_the_label_is_no_domain(world: World) -> None:
    world.add_node(node("nowhere"))
    assert web(world, "p", topologySpreadConstraints=[constraint()], nodeSelector={HOST: "nowhere"}) == ""
    assert "1 node(s) didn't match pod topology spread constraints (missing required label)" in world.message("p")


def test_fewer_domains_than_wanted_are_taken_to_be_uneven(world: World) -> None:
    spread = [constraint(minDomains=3)]
    placed = [web(world, f"p{number}", topologySpreadConstraints=spread) for number in range(3)]
    assert [bool(one) for one in placed] == [True, True, False]


def test_nodes_that_the_pod_cannot_use_are_no_domains_unless_it_says_so(world: World) -> None:
    only_a = {"nodeSelector": {ZONE: "a"}}
    for number in range(3):
        assert web(world, f"p{number}", topologySpreadConstraints=[constraint()], **only_a)
    ignoring = constraint(nodeAffinityPolicy="Ignore")
    assert web(world, "late", topologySpreadConstraints=[ignoring], **only_a) == ""


def test_preferred_spreading_gives_way(world: World) -> None:
    spread = [constraint(when="ScheduleAnyway")]
    names = [f"p{number}" for number in range(4)]
    for name in names:
        assert web(world, name, topologySpreadConstraints=spread)
    assert zones(world, names) == {"a": 2, "b": 2}
    world.patch(NODES, "b1", {"spec": {"unschedulable": True}})
    assert web(world, "late", topologySpreadConstraints=spread)[:1] == "a"


@pytest.mark.parametrize("by", ["service", "replica set"])
def test_pods_that_belong_together_are_spread_by_default(by: str) -> None:
    world = World(*(node(f"n{number}") for number in range(4)))
    owners: list[Object] = []
    if by == "service":
        ports = [{"port": 80}]
        spec: Object = {"selector": {"app": "web"}, "ports": ports}
        world.create(
            SERVICES,
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": spec},
        )
    else:
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
        made = world.create(
            REPLICASETS,
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": {"name": "web", "namespace": "default"},
                "spec": {"selector": WEB, "template": template},
            },
        )
        uid = made["metadata"]["uid"]
        owners = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": uid, "controller": True}]
    for number in range(8):
        manifest: Object = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"p{number}",
                "namespace": "default",
                "labels": {"app": "web"},
                "ownerReferences": owners,
            },
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        }
        world.create(PODS, manifest)
    places = [world.node_of(f"p{number}") for number in range(8)]
    assert {places.count(place) for place in places} == {2}


def term(key: str = HOST, app: str = "web", **more: Any) -> Object:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def test_pods_that_keep_apart_do_not_share_a_domain(world: World) -> None:
    apart = {"podAntiAffinity": {REQUIRED: [term()]}}
    assert {web(world, f"p{number}", affinity=apart) for number in range(3)} == {"a1", "a2", "b1"}
    assert web(world, "one-more", affinity=apart) == ""
    assert world.message("one-more") == (
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    )
    world.delete("p0")
    assert world.node_of("one-more")


def test_pods_that_are_there_keep_others_away(world: World) -> None:
    for number in range(3):
        world.schedule(
            f"loner-{number}",
            labels={"app": "loner"},
            affinity={"podAntiAffinity": {REQUIRED: [term(), term(app="loner")]}},
        )
    assert web(world, "p") == ""
    assert "3 node(s) didn't satisfy existing pods anti-affinity rules" in world.message("p")


def test_pods_that_belong_together_share_a_domain(world: World) -> None:
    near = {"podAffinity": {REQUIRED: [term(ZONE, "db")]}}
    assert web(world, "p", affinity=near) == ""
    assert "3 node(s) didn't match pod affinity rules" in world.message("p")
    assert world.schedule("db", labels={"app": "db"}, nodeSelector={ZONE: "b"}) == "b1"
    assert world.node_of("p") == "b1"


def test_the_first_of_its_kind_may_start_anywhere(world: World) -> None:
    near = {"podAffinity": {REQUIRED: [term(ZONE)]}}
    first = web(world, "first", affinity=near)
    assert first
    assert {web(world, f"p{number}", affinity=near)[:1] for number in range(3)} == {first[:1]}


@pytest.mark.parametrize(
    ("terms", "admitted"),
    [
        ({"namespaces": ["other"]}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "x"}}}, True),
        ({"namespaceSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "y"}}}, False),
        ({}, False),
    ],
)
def test_terms_mean_pods_of_certain_namespaces(world: World, terms: Object, admitted: bool) -> None:
    from autograder.controlplane.apimachinery.scheme import SERVICEACCOUNTS

    world.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other", "labels": {"team": "x"}}}
    )
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "other"}}
    world.create(SERVICEACCOUNTS, account)
    world.create(
        PODS,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "db", "namespace": "other", "labels": {"app": "db"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}], "nodeSelector": {ZONE: "b"}},
        },
    )
    placed = web(world, "p", affinity={"podAffinity": {REQUIRED: [term(ZONE, "db", **terms)]}})
    assert placed == ("b1" if admitted else "")


def test_preferences_for_company_are_weighed(world: World) -> None:
    world.schedule("db", labels={"app": "db"}, nodeSelector={ZONE: "b"})
    near = {"podAffinity": {PREFERRED: [{"weight": 100, "podAffinityTerm": term(ZONE, "db")}]}}
    assert web(world, "friend", affinity=near) == "b1"
    far = {"podAntiAffinity": {PREFERRED: [{"weight": 100, "podAffinityTerm": term(ZONE, "db")}]}}
    assert web(world, "enemy", affinity=far)[:1] == "a"
