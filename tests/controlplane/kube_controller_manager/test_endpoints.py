"""Endpoints and EndpointSlices follow the pods behind a Service."""

from __future__ import annotations

from controller_world import Object, World, deployment, pod, service, template

from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, ENDPOINTS, ENDPOINTSLICES, NODES, PODS, SERVICES

NAME = "kubernetes.io/service-name"


def slices(world: World, name: str = "web") -> list[Object]:
    return world.list(ENDPOINTSLICES, labels=f"{NAME}={name}")


def conditions(world: World) -> list[tuple[bool, bool, bool]]:
    return [
        tuple(one["conditions"][which] for which in ("ready", "serving", "terminating"))
        for found in slices(world)
        for one in found["endpoints"]
    ]


def addresses(world: World) -> tuple[list[str], list[str]]:
    """Ready and not ready addresses of the Endpoints object."""
    subsets = world.get(ENDPOINTS, "web").get("subsets", [])
    fields = ("addresses", "notReadyAddresses")
    ready, waiting = ([one["ip"] for part in subsets for one in part.get(field, [])] for field in fields)
    return ready, waiting


def test_lists_the_pods_that_the_selector_picks(world: World) -> None:
    world.create(deployment(replicas=2))
    world.create(service())
    world.create(pod("other", {"app": "other"}))
    world.advance(5)
    ips = sorted(one["status"]["podIP"] for one in world.pods("app=web"))
    (found,) = slices(world)
    assert sorted(one["addresses"][0] for one in found["endpoints"]) == ips
    assert sorted(addresses(world)[0]) == ips
    assert conditions(world) == [(True, True, False)] * 2
    endpoint = found["endpoints"][0]
    assert endpoint["targetRef"]["kind"] == "Pod"
    assert endpoint["nodeName"] in ("worker-1", "worker-2")


def test_the_slice_belongs_to_its_service(world: World) -> None:
    world.create(service())
    world.settle()
    (found,) = slices(world)
    meta = found["metadata"]
    assert meta["name"].startswith("web-") and len(meta["name"]) == len("web-") + 5
    assert meta["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert meta["ownerReferences"][0]["kind"] == "Service"
    world.delete(SERVICES, "web")
    world.settle()
    assert slices(world) == []
    assert "web" not in world.names(ENDPOINTS)


def test_goes_with_a_service_that_waits_for_it(world: World) -> None:
    world.create(deployment(replicas=1))
    world.create(service())
    world.advance(5)
    world.delete(SERVICES, "web", propagation="Foreground")
    world.settle()
    assert "web" not in world.names(SERVICES)
    assert slices(world) == []


def test_a_pod_that_is_not_ready_is_not_served(world: World) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    manifest = pod("unready", {"app": "web"})
    manifest["spec"]["containers"][0]["readinessProbe"] = probe
    world.create(manifest)
    world.create(service())
    world.advance(10)
    assert conditions(world) == [(False, False, False)]
    ready, waiting = addresses(world)
    assert ready == [] and len(waiting) == 1


def test_published_before_they_are_ready_if_the_service_says_so(world: World) -> None:
    manifest = pod("unready", {"app": "web"})
    manifest["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["false"]}}
    world.create(manifest)
    world.create(service(publishNotReadyAddresses=True))
    world.advance(10)
    assert conditions(world) == [(True, False, False)]


def test_a_terminating_pod_still_serves_and_is_no_longer_ready(world: World) -> None:
    slow = pod("slow", {"app": "web"}, image="busybox:1.36")
    slow["spec"]["containers"][0]["command"] = ["sleep", "100000"]
    world.create(slow)
    world.create(service())
    world.advance(5)
    world.delete(PODS, "slow")
    world.settle()
    assert conditions(world) == [(False, True, True)]
    assert addresses(world) == ([], [])
    world.advance(60)
    (placeholder,) = slices(world)
    assert (placeholder["endpoints"], placeholder["ports"]) == (None, None)


def test_keeps_its_name_when_all_pods_have_gone(world: World) -> None:
    world.create(deployment(replicas=1))
    world.create(service())
    world.advance(5)
    (before,) = slices(world)
    world.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 0}})
    world.advance(60)
    (after,) = slices(world)
    assert after["metadata"]["name"] == before["metadata"]["name"]


def test_a_named_port_is_looked_up_in_each_pod(world: World) -> None:
    for name, number in (("a", 8080), ("b", 9090)):
        manifest = pod(name, {"app": "web"})
        manifest["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": number}]
        world.create(manifest)
    world.create(service(ports=[{"name": "front", "port": 80, "targetPort": "http"}]))
    world.advance(5)
    ports = sorted((one["ports"][0]["name"], one["ports"][0]["port"]) for one in slices(world))
    assert ports == [("front", 8080), ("front", 9090)]


def test_a_headless_service_gives_pods_their_names(world: World) -> None:
    manifest = pod("named", {"app": "web"}, hostname="first", subdomain="web")
    world.create(manifest)
    world.create(service(clusterIP="None"))
    world.advance(5)
    (found,) = slices(world)
    assert found["endpoints"][0]["hostname"] == "first"
    assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert world.get(ENDPOINTS, "web")["subsets"][0]["addresses"][0]["hostname"] == "first"


def test_tells_the_zone_of_the_node(world: World) -> None:
    for node in ("worker-1", "worker-2"):
        world.patch(NODES, node, {"metadata": {"labels": {"topology.kubernetes.io/zone": f"zone-of-{node}"}}})
    world.create(deployment(replicas=1))
    world.create(service())
    world.advance(5)
    (endpoint,) = slices(world)[0]["endpoints"]
    assert endpoint["zone"] == f"zone-of-{endpoint['nodeName']}"


def test_a_slice_holds_at_most_a_hundred(world: World) -> None:
    world.create(deployment(replicas=105))
    world.create(service())
    world.advance(10)
    sizes = sorted(len(one["endpoints"]) for one in slices(world))
    assert sum(sizes) == 105 and max(sizes) <= 100


def test_without_a_selector_somebody_else_keeps_the_endpoints(world: World) -> None:
    manifest = service()
    del manifest["spec"]["selector"]
    world.create(manifest)
    world.settle()
    assert slices(world) == []
    assert "web" not in world.names(ENDPOINTS)


def test_a_changed_selector_changes_the_endpoints(world: World) -> None:
    world.create(deployment(replicas=1, template=template()))
    world.create(service())
    world.advance(5)
    assert len(addresses(world)[0]) == 1
    world.patch(SERVICES, "web", {"spec": {"selector": {"app": "nothing"}}})
    world.settle()
    assert addresses(world) == ([], [])


def test_endpoints_kept_by_hand_are_mirrored(world: World) -> None:
    manifest = service()
    del manifest["spec"]["selector"]
    world.create(manifest)
    subset = {"addresses": [{"ip": "192.0.2.7"}], "notReadyAddresses": [{"ip": "192.0.2.8"}], "ports": [{"port": 8080}]}
    world.create({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"}, "subsets": [subset]})
    world.settle()
    (mirror,) = slices(world)
    assert [(one["addresses"], one["conditions"]["ready"]) for one in mirror["endpoints"]] == [
        (["192.0.2.7"], True),
        (["192.0.2.8"], False),
    ]
    assert mirror["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    world.client.patch(ENDPOINTS, "default", "web", {"subsets": None}, patch_type="application/merge-patch+json")
    world.settle()
    assert slices(world) == []
