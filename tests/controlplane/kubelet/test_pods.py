"""What becomes of a pod on a node: its containers, its status, its events, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autograder.controlplane.apimachinery.errors import BadRequest, InternalError, NotFound
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, PODS

if TYPE_CHECKING:
    from tests.controlplane.kubelet.conftest import World

PRESENT = 'Container image "nginx:1.27" already present on machine and can be accessed by the pod'


def test_a_pod_first_waits_and_then_runs(world: World) -> None:
    waiting = world.run("web", seconds=0)["status"]
    assert waiting["phase"] == "Pending"
    assert waiting["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    world.cluster.advance(2)
    status = world.pod("web")["status"]
    assert status["phase"] == "Running"
    assert (status["hostIP"], status["qosClass"]) == ("10.250.0.11", "BestEffort")
    assert status["podIP"].startswith("10.244.")
    assert world.container("web")["ready"]


def test_conditions_stand_in_the_order_of_the_real_kubelet(world: World) -> None:
    conditions = world.run("web")["status"]["conditions"]
    assert [one["type"] for one in conditions] == [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"
    ]  # fmt: skip
    assert {one["status"] for one in conditions} == {"True"}
    assert {one["observedGeneration"] for one in conditions} == {1}


def test_events_tell_how_a_container_came_to_run(world: World) -> None:
    world.run("web")
    assert world.events("web") == [
        ("Normal", "Pulled", PRESENT), ("Normal", "Created", "Container created"),
        ("Normal", "Started", "Container started"),
    ]  # fmt: skip


def test_a_running_pod_costs_two_writes_of_its_status(world: World) -> None:
    before = world.client.list(PODS, "default")[1]
    world.run("web")
    stream = world.client.watch(PODS, before, "default")
    assert [event.type for event in stream.poll()] == ["ADDED", "MODIFIED", "MODIFIED"]


def test_a_container_status_names_its_image_and_resources(world: World) -> None:
    resources = {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
    world.run("web", {"resources": resources})
    status = world.container("web")
    assert status["image"] == "docker.io/library/nginx:1.27"
    assert status["imageID"].startswith("sha256:")
    assert status["containerID"].startswith("containerd://")
    assert status["resources"] == resources
    assert status["allocatedResources"] == resources["requests"]
    assert world.pod("web")["status"]["qosClass"] == "Burstable"


@pytest.mark.parametrize(
    ("script", "phase", "code", "reason"),
    [("true", "Succeeded", 0, "Completed"), ("echo out; exit 3", "Failed", 3, "Error")],
)
def test_a_pod_that_is_never_restarted_ends_as_its_container_did(
    world: World, script: str, phase: str, code: int, reason: str
) -> None:
    pod = world.sh("once", script, restartPolicy="Never")
    terminated = world.container("once")["state"]["terminated"]
    assert pod["status"]["phase"] == phase
    assert (terminated["exitCode"], terminated["reason"]) == (code, reason)
    assert world.conditions("once")["Ready"] == "False"


def test_on_failure_restarts_only_what_failed(world: World) -> None:
    world.sh("good", "exit 0", restartPolicy="OnFailure", seconds=30)
    world.sh("bad", "exit 1", restartPolicy="OnFailure", seconds=30)
    assert world.pod("good")["status"]["phase"] == "Succeeded"
    assert world.pod("bad")["status"]["phase"] == "Running"
    assert world.container("bad")["restartCount"] > 0


def test_a_crashing_container_is_held_back_longer_each_time(world: World) -> None:
    world.sh("crash", "exit 1", seconds=4)
    waiting = world.container("crash")["state"]["waiting"]
    uid = world.pod("crash")["metadata"]["uid"]
    assert waiting == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 10s restarting failed container=c pod=crash_default({uid})",
    }
    assert world.container("crash")["lastState"]["terminated"]["exitCode"] == 1
    restarts = []
    for _ in range(200):
        world.cluster.advance(5)
        restarts.append(world.container("crash")["restartCount"])
    # After the first, at once: 10 s, 20 s, 40 s, 80 s, 160 s and then every 300 s.
    assert restarts[-1] == 8
    assert (
        "Warning",
        "BackOff",
        f"Back-off restarting failed container c in pod crash_default({uid})",
    ) in world.events("crash")


def test_a_container_that_ran_long_enough_starts_with_a_short_delay_again(world: World) -> None:
    world.sh("slow", "sleep 700; exit 1", seconds=720)
    assert world.container("slow")["restartCount"] == 1
    world.cluster.advance(703)
    assert "back-off 10s" not in str(world.container("slow")["state"])
    assert world.container("slow")["restartCount"] >= 1


def test_an_unknown_tag_cannot_be_pulled(world: World) -> None:
    world.run("bad", {"image": "nginx:9.99"}, seconds=2.5)
    failure = (
        'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:9.99": failed to '
        'resolve reference "docker.io/library/nginx:9.99": docker.io/library/nginx:9.99: not found'
    )
    assert world.container("bad")["state"]["waiting"] == {"reason": "ErrImagePull", "message": failure}
    world.cluster.advance(2)
    waiting = world.container("bad")["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"] == f'Back-off pulling image "nginx:9.99": ErrImagePull: {failure}'
    assert world.pod("bad")["status"]["phase"] == "Pending"
    assert world.events("bad")[:5] == [
        ("Normal", "Pulling", 'Pulling image "nginx:9.99"'),
        ("Warning", "Failed", f'Failed to pull image "nginx:9.99": {failure}'),
        ("Warning", "Failed", "Error: ErrImagePull"),
        ("Normal", "BackOff", 'Back-off pulling image "nginx:9.99"'),
        ("Warning", "Failed", "Error: ImagePullBackOff"),
    ]


@pytest.mark.parametrize(
    ("image", "policy", "reasons", "waiting"),
    [
        ("redis:7", "IfNotPresent", ["Pulling", "Pulled", "Created", "Started"], None),
        ("nginx:1.27", "Always", ["Pulling", "Pulled", "Created", "Started"], None),
        ("nginx:1.27", "Never", ["Pulled", "Created", "Started"], None),
        ("redis:7", "Never", ["ErrImageNeverPull", "Failed"], "ErrImageNeverPull"),
        ("NGINX", "IfNotPresent", ["InspectFailed", "Failed"], "InvalidImageName"),
    ],
)
def test_the_pull_policy_decides_about_pulling(
    world: World, image: str, policy: str, reasons: list[str], waiting: str | None
) -> None:
    world.run("web", {"image": image, "imagePullPolicy": policy}, seconds=5)
    assert world.reasons("web") == reasons
    assert world.container("web")["state"].get("waiting", {}).get("reason") == waiting


def test_an_image_is_pulled_once_for_a_node(world: World) -> None:
    world.run("first", {"image": "redis:7"}, seconds=5)
    world.run("second", {"image": "redis:7"}, seconds=5)
    assert world.reasons("first")[0] == "Pulling"
    assert world.events("second")[0][2].startswith('Container image "redis:7" already present on machine')


def test_a_program_that_is_not_there_cannot_be_started(world: World) -> None:
    world.run("web", {"command": ["serve"]}, seconds=1)
    waiting = world.container("web")["state"]["waiting"]
    assert waiting["reason"] == "RunContainerError"
    assert 'exec: "serve": executable file not found in $PATH' in waiting["message"]
    assert world.container("web")["lastState"]["terminated"]["exitCode"] == 128


def test_init_containers_run_one_after_the_other_before_the_others(world: World) -> None:
    steps: list[dict[str, Any]] = [
        {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", "sleep 5"]} for name in ("one", "two")
    ]
    world.run("web", initContainers=steps, seconds=3)
    assert "running" in world.container("web", "one")["state"]
    assert world.container("web", "two")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert world.container("web")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert world.conditions("web")["Initialized"] == "False"
    world.cluster.advance(5)
    assert world.container("web", "one")["state"]["terminated"]["reason"] == "Completed"
    assert "running" in world.container("web", "two")["state"]
    world.cluster.advance(5)
    assert world.container("web")["ready"]
    assert world.conditions("web")["Initialized"] == "True"


@pytest.mark.parametrize(("policy", "phase"), [("Always", "Pending"), ("Never", "Failed")])
def test_a_failing_init_container_keeps_the_others_from_running(world: World, policy: str, phase: str) -> None:
    step = {"name": "setup", "image": "busybox:1.36", "command": ["false"]}
    pod = world.run("web", initContainers=[step], restartPolicy=policy, seconds=5)
    assert pod["status"]["phase"] == phase
    assert "waiting" in world.container("web")["state"]


def test_a_sidecar_runs_before_and_ends_after_the_others(world: World) -> None:
    sidecar = {"name": "log", "image": "busybox:1.36", "command": ["sleep", "9999"], "restartPolicy": "Always"}
    pod = world.sh("job", "sleep 3", initContainers=[sidecar], restartPolicy="Never")
    assert pod["status"]["phase"] == "Running"
    assert world.container("job", "log")["started"]
    world.cluster.advance(40)
    assert world.pod("job")["status"]["phase"] == "Succeeded"
    assert world.container("job", "log")["state"]["terminated"]["exitCode"] == 137


def test_an_init_container_prepares_what_nginx_serves(world: World) -> None:
    step = {
        "name": "setup", "image": "busybox:1.36", "command": ["sh", "-c", "echo hello > /work/index.html"],
        "volumeMounts": [{"name": "page", "mountPath": "/work"}],
    }  # fmt: skip
    volumes = [{"name": "page", "emptyDir": {}}]
    mounts = [{"name": "page", "mountPath": "/usr/share/nginx/html"}]
    world.run("web", {"volumeMounts": mounts}, initContainers=[step], volumes=volumes, seconds=3)
    assert world.exec("web", "curl", "-s", "localhost") == ("hello\n", 0)


def test_configuration_reaches_a_container_as_variables_and_as_files(world: World) -> None:
    world.client.create(CONFIGMAPS, "default", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"MODE": "prod"},
    })  # fmt: skip
    env = [
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "MODE"}}},
        {"name": "TITLE", "value": "$(MODE)-title"},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}]
    container = {
        "env": env, "resources": {"limits": {"memory": "64Mi"}},
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/settings"}],
    }  # fmt: skip
    script = 'echo "$MODE $TITLE $ME $IP $LIMIT $(cat /etc/settings/MODE)"; sleep 100'
    pod = world.sh("app", script, container=container,
                   volumes=volumes)  # fmt: skip
    assert world.logs("app") == f"prod prod-title app {pod['status']['podIP']} 64 prod\n"


def test_a_missing_key_keeps_a_container_from_being_created(world: World) -> None:
    env = [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "MODE"}}}]
    world.run("app", {"env": env})
    assert world.container("app")["state"]["waiting"] == {
        "reason": "CreateContainerConfigError", "message": 'configmap "settings" not found'
    }  # fmt: skip


def test_a_missing_volume_keeps_a_pod_from_starting_until_it_is_there(world: World) -> None:
    world.run("app", volumes=[{"name": "v", "configMap": {"name": "late"}}], seconds=5)
    assert world.container("app")["state"]["waiting"]["reason"] == "ContainerCreating"
    assert ("Warning", "FailedMount", 'MountVolume.SetUp failed for volume "v" : configmap "late" not found') in (
        world.events("app")
    )
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    world.client.create(CONFIGMAPS, "default", late)
    world.cluster.advance(10)
    assert world.pod("app")["status"]["phase"] == "Running"


def test_a_container_over_its_memory_limit_is_killed(world: World) -> None:
    container = {"image": "polinux/stress", "command": ["stress"], "args": ["--vm", "1", "--vm-bytes", "250M"],
                 "resources": {"limits": {"memory": "100Mi"}}}  # fmt: skip
    world.run("greedy", container, restartPolicy="Never", seconds=5)
    terminated = world.container("greedy")["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("OOMKilled", 137)


def test_declared_memory_use_counts_against_the_limit(world: World) -> None:
    metadata = {"annotations": {"autograder.dev/memory-use": "c=200Mi"}}
    world.run("greedy", {"resources": {"limits": {"memory": "100Mi"}}}, metadata=metadata, restartPolicy="Never")
    assert world.container("greedy")["state"]["terminated"]["reason"] == "OOMKilled"


def test_an_active_deadline_ends_a_pod(world: World) -> None:
    world.sh("late", "sleep 9999", activeDeadlineSeconds=5, terminationGracePeriodSeconds=3, seconds=10)
    status = world.pod("late")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"


def test_nginx_ends_at_once_when_its_pod_is_deleted(world: World) -> None:
    world.run("web")
    world.client.delete(PODS, "default", "web")
    world.cluster.settle()
    assert not world.exists("web")
    assert ("Normal", "Killing", "Stopping container c") in world.events("web")


@pytest.mark.parametrize(("grace", "alive", "gone"), [(None, 29, 31), (5, 4, 6), (1, 1, 3)])
def test_a_sleeping_shell_takes_the_whole_grace_period(
    world: World, grace: int | None, alive: float, gone: float
) -> None:
    world.sh("box", "sleep 9999")
    world.client.delete(PODS, "default", "box", grace_period=grace)
    world.cluster.advance(alive)
    assert "deletionTimestamp" in world.pod("box")["metadata"]
    world.cluster.advance(gone - alive)
    assert not world.exists("box")


def test_a_pod_deleted_at_once_is_gone_and_its_containers_too(world: World) -> None:
    uid = world.sh("box", "sleep 9999")["metadata"]["uid"]
    world.client.delete(PODS, "default", "box", grace_period=0)
    assert not world.exists("box")
    world.cluster.advance(31)
    assert world.cluster.machines.containers_of(uid) == []


def test_a_pre_stop_hook_takes_its_part_of_the_grace_period(world: World) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 4"]}}}
    world.run("web", {"lifecycle": hook})
    world.client.delete(PODS, "default", "web")
    world.cluster.advance(3)
    assert world.exists("web")
    world.cluster.advance(2)
    assert not world.exists("web")


def test_a_failing_post_start_hook_kills_the_container(world: World) -> None:
    world.run("web", {"lifecycle": {"postStart": {"exec": {"command": ["false"]}}}})
    assert ("Warning", "FailedPostStartHook", "PostStartHook failed") in world.events("web")
    assert "FailedPostStartHook" in [message for _, _, message in world.events("web")]


def test_logs_are_kept_by_container_and_run(world: World) -> None:
    world.sh("job", "echo one; echo two; sleep 5; exit 1", seconds=8)
    assert world.logs("job", tail_lines=1) == "two\n"
    assert world.logs("job", previous=True) == "one\ntwo\n"
    assert world.logs("job", timestamps=True).startswith("2026-01-01T09:00:")
    world.run("web", {"image": "nginx:9.99"})
    with pytest.raises(
        BadRequest, match=r"is waiting to start: (image can't be pulled|trying and failing to pull image)"
    ):
        world.logs("web")


@pytest.mark.parametrize("image", ["nginx:9.99", "nginx:1.27"], ids=["that never ran", "that has ended"])
def test_no_command_is_run_in_a_container_that_does_not_run(world: World, image: str) -> None:
    world.run("web", {"image": image, "command": ["true"]})
    with pytest.raises(InternalError) as refusal:
        world.exec("web", "ls")
    assert refusal.value.message == 'container not found ("c")'


def test_a_pod_goes_on_with_the_same_bytes_in_a_fork(world: World) -> None:
    world.sh("crash", "sleep 1; exit 1", seconds=0)
    world.run("bad", {"image": "nginx:9.99"}, seconds=0)
    world.run("web", {"readinessProbe": {"httpGet": {"port": 80}, "initialDelaySeconds": 3}}, seconds=0)
    for _ in range(12):
        fork = world.cluster.fork()
        world.cluster.advance(7)
        fork.advance(7)
        assert world.client.list(PODS) == fork.client().list(PODS)


def test_same_seed_same_bytes(make_world: Any) -> None:
    lists = []
    for _ in range(2):
        world = make_world()
        world.run("web")
        world.sh("crash", "exit 1", seconds=20)
        lists.append(world.client.list(PODS))
    assert lists[0] == lists[1]


def test_a_pod_bound_to_an_unknown_node_stays_as_it_is(world: World) -> None:
    pod = world.run("lost", nodeName="nowhere")
    assert pod["status"]["phase"] == "Pending"
    assert "containerStatuses" not in pod["status"]


def test_logs_of_a_pod_that_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        world.logs("nothing")
