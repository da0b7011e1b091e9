"""A DaemonSet has a pod on every node that may have one."""

from __future__ import annotations

from controller_world import World, workload

from autograder.controlplane.apimachinery.scheme import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS

HASH = "controller-revision-hash"


def where(world: World) -> list[str]:
    return sorted(pod["spec"]["nodeName"] for pod in world.pods("app=agent"))


def agent(**spec: object) -> dict[str, object]:
    return workload("DaemonSet", "agent", "agent", **spec)


def test_runs_on_every_node_that_it_tolerates(world: World) -> None:
    world.create(agent())
    world.advance(5)
    assert where(world) == ["worker-1", "worker-2"]
    status = world.get(DAEMONSETS, "agent")["status"]
    assert status["desiredNumberScheduled"] == status["currentNumberScheduled"] == status["numberReady"] == 2
    assert status["updatedNumberScheduled"] == status["numberAvailable"] == 2
    assert status["numberMisscheduled"] == 0


def test_a_toleration_takes_it_to_the_control_plane(world: World) -> None:
    manifest = agent()
    tolerations = [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}]
    manifest["spec"]["template"]["spec"]["tolerations"] = tolerations  # type: ignore[index]
    world.create(manifest)
    world.advance(5)
    assert where(world) == ["control-plane", "worker-1", "worker-2"]


def test_follows_the_labels_of_nodes(world: World) -> None:
    manifest = agent()
    manifest["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}  # type: ignore[index]
    world.create(manifest)
    world.advance(5)
    assert where(world) == []
    world.patch(NODES, "worker-2", {"metadata": {"labels": {"disk": "ssd"}}})
    world.advance(5)
    assert where(world) == ["worker-2"]
    world.patch(NODES, "worker-2", {"metadata": {"labels": {"disk": None}}})
    world.advance(60)
    assert where(world) == []


def test_a_cordoned_node_keeps_and_gets_its_daemon(world: World) -> None:
    world.patch(NODES, "worker-1", {"spec": {"unschedulable": True}})
    world.create(agent())
    world.advance(5)
    assert where(world) == ["worker-1", "worker-2"]


def test_each_pod_names_its_node_in_its_affinity(world: World) -> None:
    world.create(agent())
    world.advance(5)
    for pod in world.pods("app=agent"):
        affinity = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        fields = affinity["nodeSelectorTerms"][0]["matchFields"]
        assert fields == [{"key": "metadata.name", "operator": "In", "values": [pod["spec"]["nodeName"]]}]


def test_rolls_one_node_after_the_other(world: World) -> None:
    world.create(agent())
    world.advance(5)
    container = {"name": "c", "image": "nginx:1.28"}
    world.patch(DAEMONSETS, "agent", {"spec": {"template": {"spec": {"containers": [container]}}}})
    for _ in range(600):
        assert world.get(DAEMONSETS, "agent")["status"].get("numberAvailable", 0) >= 1
        world.advance(0.1)
    assert world.get(DAEMONSETS, "agent")["status"]["updatedNumberScheduled"] == 2
    revisions = {one["revision"]: one["metadata"]["labels"][HASH] for one in world.list(CONTROLLERREVISIONS)}
    assert sorted(revisions) == [1, 2]
    assert {pod["metadata"]["labels"][HASH] for pod in world.pods("app=agent")} == {revisions[2]}


def test_with_surge_the_new_pod_comes_before_the_old_one_goes(world: World) -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    world.create(agent(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling}))
    world.advance(5)
    container = {"name": "c", "image": "nginx:1.28"}
    world.patch(DAEMONSETS, "agent", {"spec": {"template": {"spec": {"containers": [container]}}}})
    for _ in range(600):
        assert world.get(DAEMONSETS, "agent")["status"].get("numberAvailable", 0) == 2
        world.advance(0.1)
    assert world.get(DAEMONSETS, "agent")["status"]["updatedNumberScheduled"] == 2


def test_on_delete_waits_for_somebody_to_delete_the_pods(world: World) -> None:
    world.create(agent(updateStrategy={"type": "OnDelete"}))
    world.advance(5)
    container = {"name": "c", "image": "nginx:1.28"}
    world.patch(DAEMONSETS, "agent", {"spec": {"template": {"spec": {"containers": [container]}}}})
    world.advance(60)
    assert world.get(DAEMONSETS, "agent")["status"].get("updatedNumberScheduled", 0) == 0
    world.delete(PODS, world.names(PODS, labels="app=agent")[0])
    world.advance(60)
    assert world.get(DAEMONSETS, "agent")["status"]["updatedNumberScheduled"] == 1


def test_a_pod_that_goes_over_to_another_daemon_set_is_missed_at_once(world: World) -> None:
    world.create(agent())
    world.create(workload("DaemonSet", "other", "agent"))
    world.advance(5)
    other = world.get(DAEMONSETS, "other")["metadata"]
    mine = next(one for one in world.pods() if one["metadata"]["name"].startswith("agent-"))
    (reference,) = mine["metadata"]["ownerReferences"]
    changed = {**reference, "name": "other", "uid": other["uid"]}
    world.client.update(PODS, {**mine, "metadata": {**mine["metadata"], "ownerReferences": [changed]}})
    world.settle()
    owners = [one["metadata"]["ownerReferences"][0]["name"] for one in world.pods()]
    assert owners.count("agent") == 2
