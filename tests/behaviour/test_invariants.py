"""Whatever users do and whatever fails, in whatever order: what always holds, and what holds once all has settled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from lab import NEWER, NGINX, Lab, condition, container, job, manifest, pod, template

from autograder.clusters.embedded import EmbeddedCluster
from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.errors import StatusError

NAMES = st.sampled_from(["a", "b", "c"])
KINDS = st.sampled_from(["Deployment", "ReplicaSet", "StatefulSet"])
IMAGES = st.sampled_from([NGINX, NEWER, "nginx:no-such-tag"])
COUNTS = st.integers(0, 5)
CPU = st.sampled_from(["100m", "1500m"])
WORKERS = st.sampled_from(["worker-1", "worker-2"])
COMPONENTS = st.sampled_from(["kube-controller-manager", "kube-scheduler", "kube-proxy", "kube-apiserver", "etcd"])
SECONDS = st.sampled_from([0.0, 0.5, 7.0, 60.0])
HOST = "kubernetes.io/hostname"
#: Longer than any back-off of a controller, and than what a node may stay away before its Pods are given up.
LONG = 900

Action = Callable[[Lab], object]


@cache
def warm() -> EmbeddedCluster:
    return EmbeddedCluster.boot()


def digest(cluster: EmbeddedCluster) -> str:
    """Everything that a cluster holds, in one word."""
    found = [(kept.key, kept.value) for kept in cluster.control_plane.store.range("/registry/")]
    return hashlib.sha256(json.dumps([cluster.control_plane.clock.now, found]).encode()).hexdigest()


class Turmoil(RuleBasedStateMachine):
    """Users, failures and time at once.  Every action is kept, so that all of it can be done again elsewhere."""

    lab: Lab

    @initialize()
    def begin(self) -> None:
        self.lab = Lab(warm().fork())
        self.actions: list[Action] = []
        self.live = 0
        self.placed: set[str] = set()
        self.closed: set[str] = set()
        self.away: set[str] = set()

    def act(self, action: Action) -> None:
        """Do it, as far as the API lets us, and let the cluster react."""
        self.actions.append(action)
        perform(self.lab, action)

    # ------------------------------------------------------------ what users do

    @rule(kind=KINDS, name=NAMES, replicas=COUNTS, image=IMAGES, cpu=CPU)
    def create(self, kind: str, name: str, replicas: int, image: str, cpu: str) -> None:
        inside = template(f"{kind}-{name}".lower(), container(image, resources={"requests": {"cpu": cpu}}))
        spec = {"replicas": replicas, "selector": {"matchLabels": inside["metadata"]["labels"]}, "template": inside}
        self.act(lambda lab: lab.create(manifest("apps/v1", kind, name, spec=spec)))

    @rule(name=NAMES, worker=WORKERS, cpu=CPU)
    def create_pod(self, name: str, worker: str, cpu: str) -> None:
        asking = container(resources={"requests": {"cpu": cpu}})
        self.act(lambda lab: lab.create(pod(name, asking, nodeSelector={HOST: worker})))

    @rule(name=NAMES, script=st.sampled_from(["true", "false", "sleep 20"]))
    def create_job(self, name: str, script: str) -> None:
        self.act(lambda lab: lab.create(job(name, script, completions=2, backoffLimit=1)))

    @rule(pods=st.integers(1, 8))
    def create_quota(self, pods: int) -> None:
        spec = {"hard": {"pods": str(pods), "requests.cpu": "20"}}
        self.act(lambda lab: lab.create(manifest("v1", "ResourceQuota", "quota", spec=spec)))

    @rule(kind=KINDS, name=NAMES, replicas=COUNTS)
    def scale(self, kind: str, name: str, replicas: int) -> None:
        self.act(lambda lab: lab.patch(kind, name, {"spec": {"replicas": replicas}}))

    @rule(name=NAMES, image=IMAGES)
    def roll_out(self, name: str, image: str) -> None:
        self.act(lambda lab: lab.roll_out("Deployment", name, image))

    @rule(kind=KINDS, name=NAMES, how=st.sampled_from(["Background", "Foreground", "Orphan"]))
    def delete(self, kind: str, name: str, how: str) -> None:
        self.act(lambda lab: lab.cluster.delete(kind, name, propagation=how))

    @rule(which=st.integers(0, 20))
    def delete_a_pod(self, which: int) -> None:
        def delete(lab: Lab) -> None:
            names = lab.names("Pod")
            if names:
                lab.cluster.delete("Pod", names[which % len(names)])

        self.act(delete)

    @rule(worker=WORKERS, closed=st.booleans())
    def cordon(self, worker: str, closed: bool) -> None:
        if not self.away & {"kube-apiserver", "etcd"}:
            (self.closed.add if closed else self.closed.discard)(worker)
        self.act(lambda lab: lab.patch("Node", worker, {"spec": {"unschedulable": closed}}))

    # ------------------------------------------------------------ what fails

    @rule(component=COMPONENTS)
    def stop(self, component: str) -> None:
        self.away.add(component)
        self.act(lambda lab: lab.cluster.stop(component))

    @rule()
    def start_all(self) -> None:
        stopped, self.away = sorted(self.away), set()
        self.act(lambda lab: [lab.cluster.start(component) for component in stopped])

    @rule(worker=WORKERS, has_power=st.booleans())
    def power(self, worker: str, has_power: bool) -> None:
        self.act(lambda lab: (lab.cluster.power_on if has_power else lab.cluster.power_off)(worker))

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.act(lambda lab: lab.cluster.advance(seconds))

    # ------------------------------------------------------------ what always holds

    @rule()
    def a_fork_changes_nothing(self) -> None:
        cluster: Any = self.lab.cluster
        before = digest_of(cluster)
        fork = Lab(cluster.fork())
        for name in fork_names(fork):
            perform(fork, lambda lab, name=name: lab.cluster.delete("Pod", name, grace_period=0))  # type: ignore[misc]
        fork.cluster.advance(30)
        assert digest_of(cluster) == before

    @invariant()
    def pods_are_where_they_may_be(self) -> None:
        if not hasattr(self, "lab") or self.away & {"kube-apiserver", "etcd"}:
            return
        used: dict[str, Fraction] = {}
        for one in self.lab.objects("Pod", ""):
            node, spec = one["spec"].get("nodeName"), one["spec"]
            if not node:
                continue
            if one["status"].get("phase") not in ("Succeeded", "Failed"):
                used[node] = used.get(node, Fraction(0)) + requested(one)
            if one["metadata"]["namespace"] == "default" and one["metadata"]["uid"] not in self.placed:
                self.placed.add(one["metadata"]["uid"])
                assert spec.get("nodeSelector", {}).get(HOST, node) == node
                assert node not in self.closed
                assert node != "control-plane"
        assert all(amount <= 4 for amount in used.values())

    @invariant()
    def quotas_are_kept(self) -> None:
        if not hasattr(self, "lab") or self.away & {"kube-apiserver", "etcd"}:
            return
        before, self.live = self.live, len(living(self.lab))
        for quota in self.lab.objects("ResourceQuota"):
            if quota["status"].get("hard"):
                assert self.live <= max(before, int(quota["status"]["hard"]["pods"]))

    # ------------------------------------------------------------ what holds in the end

    def teardown(self) -> None:
        if not hasattr(self, "lab"):
            return
        again = Lab(warm().fork())
        for action in self.actions:
            perform(again, action)
        assert digest_of(again.cluster) == digest_of(self.lab.cluster)  # type: ignore[arg-type]
        for component in sorted(self.away):
            self.lab.cluster.start(component)
        for worker in ("worker-1", "worker-2"):
            self.lab.cluster.power_on(worker)
        self.lab.cluster.advance(LONG)
        self.all_is_as_wanted_or_says_why_not()

    def all_is_as_wanted_or_says_why_not(self) -> None:
        lab = self.lab
        for kind in ("Deployment", "ReplicaSet", "StatefulSet"):
            for one in lab.objects(kind):
                status = one["status"]
                assert status["observedGeneration"] == one["metadata"]["generation"]
                if kind == "ReplicaSet":
                    as_wanted = status["replicas"] == one["spec"]["replicas"]
                    assert as_wanted or condition(one, "ReplicaFailure") == "True"
        for one in lab.objects("Job"):
            assert "True" in (condition(one, "Complete"), condition(one, "Failed")) or lab.objects("ResourceQuota")
        for one in lab.objects("Pod"):
            assert "deletionTimestamp" not in one["metadata"]
            assert one["status"]["phase"] != "Pending" or says_why(one)
        pods = living(lab)
        for quota in lab.objects("ResourceQuota"):
            used = quota["status"]["used"]
            assert used["pods"] == str(len(pods))
            assert quantity.parse(used["requests.cpu"]) == quantity.parse(f"{int(sum(map(requested, pods)) * 1000)}m")


def perform(lab: Lab, action: Action) -> None:
    try:
        action(lab)
    except StatusError:
        return  # what the API refuses is not done
    finally:
        lab.cluster.settle()


def fork_names(lab: Lab) -> list[str]:
    try:
        return lab.names("Pod")
    except StatusError:  # the API server is stopped
        return []


def digest_of(cluster: EmbeddedCluster) -> str:
    """As ``digest``; while etcd is away there is nothing to be read."""
    return digest(cluster) if not cluster.control_plane.store.failure else ""


def living(lab: Lab) -> list[dict[str, Any]]:
    """The Pods that a quota counts."""
    return [one for one in lab.objects("Pod") if one["status"].get("phase") not in ("Succeeded", "Failed")]


def requested(one: dict[str, Any]) -> Fraction:
    """CPUs that a Pod requests."""
    amounts = [part.get("resources", {}).get("requests", {}).get("cpu", "0") for part in one["spec"]["containers"]]
    return sum((Fraction(quantity.parse(amount).milli_value, 1000) for amount in amounts), Fraction(0))


def says_why(one: dict[str, Any]) -> bool:
    """Whether a Pod that is Pending says what it waits for."""
    if condition(one, "PodScheduled") == "False":
        return True
    statuses = one["status"].get("containerStatuses") or ()
    return any(part["state"].get("waiting", {}).get("reason") for part in statuses)


def test_users_failures_and_time_in_any_order() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Turmoil,
        settings=settings(
            max_examples=5, stateful_step_count=14, deadline=None, derandomize=True, database=None,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
