"""What runs and how it is reached: containers, probes, Services, names, nodes that fail."""

from __future__ import annotations

import pytest
from lab import BUSYBOX, PATIENCE, Lab, anywhere, condition, container, manifest, pod, service, workload

from autograder.clusters import request

FILL = "dd if=/dev/zero of=/dev/null bs=200M & sleep 3600"
MARK = "touch /tmp/ready; sleep 3600"
READY_FILE = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1}


def restarts(lab: Lab, name: str) -> int:
    statuses = lab.status("Pod", name).get("containerStatuses") or ()  # a kubelet may not have reported yet
    return sum(int(one["restartCount"]) for one in statuses)


def waiting(lab: Lab, name: str) -> str:
    statuses = lab.status("Pod", name).get("containerStatuses") or [{}]
    reason: str = statuses[0].get("state", {}).get("waiting", {}).get("reason", "")
    return reason


# ---------------------------------------------------------------- containers


@anywhere
def test_a_container_that_ends_is_started_again_with_growing_pauses(lab: Lab) -> None:
    lab.create(pod("crash", container(BUSYBOX, "exit 1")))
    lab.comes(lambda: waiting(lab, "crash") == "CrashLoopBackOff")
    assert restarts(lab, "crash") >= 1


@anywhere
@pytest.mark.parametrize(("script", "phase"), [("exit 0", "Succeeded"), ("exit 7", "Failed")])
def test_without_restarts_the_exit_code_decides_the_phase(lab: Lab, script: str, phase: str) -> None:
    lab.create(pod("once", container(BUSYBOX, script), restartPolicy="Never"))
    lab.comes(lambda: lab.phase("once") == phase)


@anywhere
def test_an_image_that_is_not_there_is_asked_for_again_and_again(lab: Lab) -> None:
    lab.create(pod("typo", container("nginx:no-such-tag")))
    lab.comes(lambda: waiting(lab, "typo") == "ImagePullBackOff")
    assert lab.phase("typo") == "Pending"


@anywhere
def test_init_containers_run_first_and_one_after_the_other(lab: Lab) -> None:
    first = {"name": "first", "image": BUSYBOX, "command": ["true"]}
    second = {"name": "second", "image": BUSYBOX, "command": ["true"]}
    lab.create(pod("prepared", initContainers=[first, second]))
    lab.runs(1, app="prepared")
    ended = [one["state"]["terminated"]["finishedAt"] for one in lab.status("Pod", "prepared")["initContainerStatuses"]]
    assert ended == sorted(ended)


@anywhere
def test_a_container_that_uses_more_memory_than_it_may_is_killed(lab: Lab) -> None:
    hog = pod("hog", container(BUSYBOX, FILL, resources={"limits": {"memory": "32Mi"}}), restartPolicy="Never")
    hog["metadata"]["annotations"] = {"autograder.dev/memory-use": "main=200Mi"}  # for containers that are simulated
    lab.create(hog)
    lab.comes(lambda: lab.phase("hog") == "Failed")
    assert lab.status("Pod", "hog")["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"


@anywhere
def test_a_liveness_probe_that_fails_restarts_the_container(lab: Lab) -> None:
    dead = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    lab.create(pod("dead", container(BUSYBOX, "sleep 3600", livenessProbe=dead), terminationGracePeriodSeconds=1))
    lab.comes(lambda: restarts(lab, "dead") >= 1)


# ---------------------------------------------------------------- services


@anywhere
def test_endpoints_follow_readiness(lab: Lab) -> None:
    lab.create(service())
    lab.create(pod("web", container(BUSYBOX, "sleep 3600", readinessProbe=READY_FILE)))
    lab.comes(lambda: lab.phase("web") == "Running")
    assert ready_addresses(lab) == []
    lab.create(pod("other", container(BUSYBOX, MARK, readinessProbe=READY_FILE), labels={"app": "web"}))
    lab.comes(lambda: ready_addresses(lab) == [lab.status("Pod", "other").get("podIP")])
    lab.patch("Pod", "other", {"metadata": {"labels": {"app": "gone"}}})
    lab.comes(lambda: ready_addresses(lab) == [])


def ready_addresses(lab: Lab) -> list[str]:
    slices = lab.objects("EndpointSlice", **{"kubernetes.io/service-name": "web"})
    endpoints = [one for part in slices for one in part.get("endpoints") or ()]
    return [address for one in endpoints if one["conditions"].get("ready") for address in one["addresses"]]


@anywhere
def test_a_service_is_reached_by_its_names(lab: Lab) -> None:
    lab.create(workload("Deployment", replicas=1))
    lab.create(service())
    lab.runs(1, app="web")
    lab.comes(lambda: bool(ready_addresses(lab)))
    for host in ("web", "web.default", "web.default.svc.cluster.local"):
        assert request(lab.cluster, f"http://{host}/").code == 200


@anywhere
def test_a_service_of_another_namespace_is_reached_by_its_longer_name(lab: Lab) -> None:
    lab.create(manifest("v1", "Namespace", "team"))
    lab.create(workload("Deployment", replicas=1), "team")
    lab.create(service(), "team")
    lab.comes(lambda: len(lab.ready("team", app="web")) == 1)
    assert request(lab.cluster, "http://web.team/").code == 200
    assert request(lab.cluster, "http://web/").code == 0


def test_a_service_without_pods_refuses(lab: Lab) -> None:
    lab.create(service())
    assert request(lab.cluster, "http://web/").code == 0


def test_a_service_shares_requests_among_its_pods(lab: Lab) -> None:
    script = "hostname > /usr/share/nginx/html/index.html; exec nginx -g 'daemon off;'"
    lab.create(workload("Deployment", "web", 3, container(script=script)))
    lab.create(service())
    lab.runs(3, app="web")
    answers = {request(lab.cluster, "http://web/").body.strip() for _ in range(24)}
    assert answers == set(lab.names("Pod", app="web"))


@anywhere
def test_a_node_port_is_given_from_its_range(lab: Lab) -> None:
    made = lab.create(service(type="NodePort"))
    assert 30000 <= made["spec"]["ports"][0]["nodePort"] <= 32767


def test_a_network_policy_shuts_out_who_is_not_let_in(lab: Lab) -> None:
    lab.create(workload("Deployment", replicas=1))
    lab.create(service())
    lab.runs(1, app="web")
    rule = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": []}
    lab.create(manifest("networking.k8s.io/v1", "NetworkPolicy", "closed", spec=rule))
    assert request(lab.cluster, "http://web/").code == 0
    lab.cluster.delete("NetworkPolicy", "closed")
    lab.cluster.settle()
    assert request(lab.cluster, "http://web/").code == 200


# ---------------------------------------------------------------- nodes that fail


def test_a_node_without_power_becomes_unknown_and_its_pods_go_elsewhere(lab: Lab) -> None:
    lab.create(workload("Deployment", replicas=4))
    lab.runs(4, app="web")
    lab.cluster.power_off("worker-2")
    lab.comes(lambda: condition(lab.get("Node", "worker-2"), "Ready") == "Unknown")
    lab.cluster.advance(PATIENCE * 4)
    assert [one["spec"]["nodeName"] for one in lab.ready(app="web")] == ["worker-1"] * 4
    lab.cluster.power_on("worker-2")
    lab.comes(lambda: condition(lab.get("Node", "worker-2"), "Ready") == "True")
    lab.comes(lambda: not any("deletionTimestamp" in one["metadata"] for one in lab.objects("Pod", app="web")))


def test_a_no_execute_taint_sends_pods_away(lab: Lab) -> None:
    lab.create(workload("Deployment", replicas=2))
    lab.runs(2, app="web")
    taint = {"key": "maintenance", "effect": "NoExecute"}
    lab.patch("Node", "worker-1", {"spec": {"taints": [taint]}})
    lab.comes(lambda: [one["spec"]["nodeName"] for one in lab.ready(app="web")] == ["worker-2"] * 2)


def test_pods_of_a_node_that_is_deleted_are_collected(lab: Lab) -> None:
    lab.create(pod("web", nodeSelector={"kubernetes.io/hostname": "worker-2"}))
    lab.runs(1, app="web")
    lab.cluster.power_off("worker-2")
    lab.cluster.delete("Node", "worker-2")
    lab.comes(lambda: lab.is_gone("Pod", "web"))


# ---------------------------------------------------------------- volumes


def test_a_claim_is_bound_to_a_volume_that_fits_and_used(lab: Lab) -> None:
    size, modes = {"storage": "1Gi"}, ["ReadWriteOnce"]
    volume = {"capacity": size, "accessModes": modes, "hostPath": {"path": "/data"}, "storageClassName": ""}
    claim = {"accessModes": modes, "resources": {"requests": size}, "storageClassName": ""}
    lab.create(manifest("v1", "PersistentVolumeClaim", "data", spec=claim))
    lab.create(pod("user", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]))
    lab.comes(lambda: lab.is_unschedulable("user"))
    lab.create(manifest("v1", "PersistentVolume", "disk", spec=volume))
    lab.runs(1, app="user")
    assert lab.status("PersistentVolumeClaim", "data")["phase"] == "Bound"
