"""Where the scheduler puts Pods, and which it leaves Pending: one behaviour or more for each plugin."""

from __future__ import annotations

from lab import Lab, anywhere, apart_from, condition, manifest, near, node_affinity, pod, requesting, why, workload

HOST = "kubernetes.io/hostname"


@anywhere
def test_a_node_selector_is_followed(lab: Lab) -> None:
    node = lab.workers()[-1]
    lab.create(pod("there", nodeSelector={HOST: node}))
    lab.comes(lambda: lab.node_of("there") == node)


@anywhere
def test_without_a_matching_node_a_pod_is_unschedulable_and_says_so(lab: Lab) -> None:
    lab.create(pod("nowhere", nodeSelector={"disk": "of-gold"}))
    lab.comes(lambda: lab.is_unschedulable("nowhere"))
    assert why(lab.get("Pod", "nowhere"), "PodScheduled") == "Unschedulable"
    assert "FailedScheduling" in lab.reasons("Pod")


@anywhere
def test_node_affinity_takes_and_excludes_nodes(lab: Lab) -> None:
    first = lab.workers()[0]
    lab.create(pod("in", affinity=node_affinity(HOST, "In", first)))
    lab.create(pod("out", affinity=node_affinity(HOST, "NotIn", first)))
    lab.comes(lambda: bool(lab.node_of("in") and lab.node_of("out")))
    assert lab.node_of("in") == first != lab.node_of("out")


def test_preferred_affinity_is_a_wish(lab: Lab) -> None:
    preference = {"matchExpressions": [{"key": HOST, "operator": "In", "values": [lab.workers()[1]]}]}
    wish = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": preference}]}
    lab.create(pod("wishing", affinity={"nodeAffinity": wish}))
    vain = {"matchExpressions": [{"key": HOST, "operator": "In", "values": ["nowhere"]}]}
    wish = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": vain}]}
    lab.create(pod("in-vain", affinity={"nodeAffinity": wish}))
    lab.runs(1, app="wishing")
    lab.runs(1, app="in-vain")
    assert lab.node_of("wishing") == lab.workers()[1]


@anywhere
def test_a_pod_that_names_its_node_needs_no_scheduler(lab: Lab) -> None:
    node = lab.workers()[0]
    lab.create(pod("named", nodeName=node))
    lab.runs(1, app="named")
    assert "Scheduled" not in lab.reasons("Pod")


def test_taints_keep_pods_away_that_do_not_tolerate_them(lab: Lab) -> None:
    for worker in lab.workers():
        lab.patch("Node", worker, {"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}})
    lab.create(pod("plain"))
    lab.create(pod("tolerant", tolerations=[{"key": "gpu", "operator": "Exists"}]))
    lab.runs(1, app="tolerant")
    assert lab.is_unschedulable("plain")
    lab.patch("Node", "worker-1", {"spec": {"taints": None}})
    lab.comes(lambda: lab.node_of("plain") == "worker-1")


def test_a_cordoned_node_takes_no_new_pods_and_keeps_the_old(lab: Lab) -> None:
    lab.create(pod("old", nodeSelector={HOST: "worker-1"}))
    lab.runs(1, app="old")
    lab.patch("Node", "worker-1", {"spec": {"unschedulable": True}})
    lab.create(pod("new", nodeSelector={HOST: "worker-1"}))
    lab.comes(lambda: lab.is_unschedulable("new"))
    lab.runs(1, app="old")


@anywhere
def test_a_pod_that_asks_for_more_than_any_node_has_stays_pending(lab: Lab) -> None:
    lab.create(pod("huge", requesting(cpu="4000")))
    lab.comes(lambda: lab.is_unschedulable("huge"))
    lab.stays(lambda: lab.phase("huge") == "Pending")


def test_what_is_requested_is_counted_and_given_back(lab: Lab) -> None:
    lab.create(pod("big", requesting(cpu="3"), nodeSelector={HOST: "worker-1"}))
    lab.comes(lambda: bool(lab.node_of("big")))
    lab.create(pod("late", requesting(cpu="3"), nodeSelector={HOST: "worker-1"}))
    lab.comes(lambda: lab.is_unschedulable("late"))
    lab.cluster.delete("Pod", "big", grace_period=0)
    lab.comes(lambda: lab.node_of("late") == "worker-1")


@anywhere
def test_two_pods_with_one_host_port_go_to_different_nodes(lab: Lab) -> None:
    holder = {"name": "main", "image": "nginx:1.27", "ports": [{"containerPort": 80, "hostPort": 18080}]}
    for name in ("one", "two"):
        lab.create(pod(name, holder))
    lab.comes(lambda: bool(lab.node_of("one") and lab.node_of("two")))
    assert lab.node_of("one") != lab.node_of("two")


@anywhere
def test_anti_affinity_keeps_pods_apart_and_affinity_together(lab: Lab) -> None:
    lab.create(pod("one", labels={"app": "shy"}, affinity=apart_from("shy")))
    lab.create(pod("two", labels={"app": "shy"}, affinity=apart_from("shy")))
    lab.comes(lambda: bool(lab.node_of("one") and lab.node_of("two")))
    assert lab.node_of("one") != lab.node_of("two")
    lab.create(pod("friend", labels={"app": "friend"}, nodeSelector={HOST: lab.node_of("two")}))
    lab.create(pod("follower", affinity=near("friend")))
    lab.comes(lambda: bool(lab.node_of("follower")))
    assert lab.node_of("follower") == lab.node_of("two")


@anywhere
def test_a_spread_constraint_keeps_the_difference_small(lab: Lab) -> None:
    constraint = {
        "maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}}, "nodeTaintsPolicy": "Honor",
    }  # fmt: skip
    spread = workload("Deployment", replicas=2 * len(lab.workers()))
    spread["spec"]["template"]["spec"]["topologySpreadConstraints"] = [constraint]
    lab.create(spread)
    lab.runs(2 * len(lab.workers()), app="web")
    nodes = [one["spec"]["nodeName"] for one in lab.pods(app="web")]
    assert {nodes.count(worker) for worker in lab.workers()} == {2}


def test_pods_are_spread_over_nodes_that_are_alike(lab: Lab) -> None:
    lab.create(workload("ReplicaSet", replicas=6))
    lab.runs(6, app="web")
    nodes = [one["spec"]["nodeName"] for one in lab.pods(app="web")]
    assert sorted(nodes.count(worker) for worker in lab.workers()) == [3, 3]


@anywhere
def test_a_gated_pod_waits_until_its_gates_are_gone(lab: Lab) -> None:
    lab.create(pod("gated", schedulingGates=[{"name": "example.com/wait"}]))
    lab.comes(lambda: why(lab.get("Pod", "gated"), "PodScheduled") == "SchedulingGated")
    lab.cluster.patch(
        "Pod", "gated", {"spec": {"schedulingGates": None}}, patch_type="application/merge-patch+json"
    )  # fmt: skip
    lab.comes(lambda: bool(lab.node_of("gated")))


def test_a_more_important_pod_takes_the_place_of_a_lesser_one(lab: Lab) -> None:
    lab.create({**manifest("scheduling.k8s.io/v1", "PriorityClass", "urgent"), "value": 1000})
    lab.create(pod("lesser", requesting(cpu="3"), nodeSelector={HOST: "worker-1"}, terminationGracePeriodSeconds=1))
    lab.comes(lambda: bool(lab.node_of("lesser")))
    lab.create(pod("urgent", requesting(cpu="3"), nodeSelector={HOST: "worker-1"}, priorityClassName="urgent"))
    lab.comes(lambda: lab.node_of("urgent") == "worker-1")
    assert lab.is_gone("Pod", "lesser")
    assert "Preempted" in lab.reasons("Pod")


def test_a_pod_of_another_scheduler_is_left_alone(lab: Lab) -> None:
    lab.create(pod("theirs", schedulerName="somebody-else"))
    lab.stays(lambda: not lab.node_of("theirs") and not condition(lab.get("Pod", "theirs"), "PodScheduled"), 60)
