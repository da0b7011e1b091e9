"""Looking at more than a field: owners, what was there before, trials in a copy of the cluster."""

from __future__ import annotations

import pytest

from autograder.checks import Case, Failed, Review, Sources
from autograder.clusters import Cluster, Object

QUOTA: Object = {
    "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"configmaps": "3"}},
}  # fmt: skip
SETTINGS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"colour": "blue"},
}
REPLICA_SET: Object = {
    "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}},
}  # fmt: skip


@pytest.fixture
def review(cluster: Cluster) -> Review:
    cluster.create(SETTINGS)
    before = {("ConfigMap", "default", "settings"): cluster.get("ConfigMap", "settings")}
    return Review(Case(cluster, Sources((), "default"), before=before))


def test_pods_are_found_by_their_owner(review: Review) -> None:
    review.cluster.create(REPLICA_SET)
    review.cluster.settle()
    assert len(review.pods(review.object("ReplicaSet", "web"))) == 2


def test_a_daemonset_is_ready_when_all_its_pods_are(review: Review) -> None:
    proxy = review.object("DaemonSet", "kube-proxy", "kube-system")
    review.ready(proxy)
    trial = review.trial()
    broken = trial.set_image(proxy, "kube-proxy", "registry.example/none:1")
    with pytest.raises(Failed, match="2 ready of 3 Pods"):
        trial.ready(broken)


def test_what_was_left_alone_is_unchanged(review: Review) -> None:
    review.cluster.patch("ConfigMap", "settings", {"metadata": {"labels": {"seen": "yes"}}})
    review.unchanged("ConfigMap", "settings")


def test_what_was_touched_is_not(review: Review) -> None:
    review.cluster.patch("ConfigMap", "settings", {"data": {"colour": "red"}})
    with pytest.raises(
        Failed, match=r"ConfigMap settings was to be left alone, and data\[colour\] has changed"
    ) as failed:
        review.unchanged("ConfigMap", "settings")
    assert (failed.value.wanted, failed.value.found) == ("blue", "red")


def test_what_was_replaced_by_its_like_is_not_the_same(review: Review) -> None:
    review.cluster.delete("ConfigMap", "settings")
    review.cluster.create(SETTINGS)
    with pytest.raises(Failed, match="has been deleted, and what is there now is another one"):
        review.unchanged("ConfigMap", "settings")


def test_what_is_being_deleted_is_not_left_alone_though_something_holds_it_back(review: Review) -> None:
    review.cluster.patch("ConfigMap", "settings", {"metadata": {"finalizers": ["example.org/not-yet"]}})
    review.cluster.delete("ConfigMap", "settings")
    with pytest.raises(Failed, match="ConfigMap settings is being deleted"):
        review.unchanged("ConfigMap", "settings")


def test_a_burst_ends_at_the_first_refusal(review: Review) -> None:
    review.cluster.create(QUOTA)
    review.cluster.settle()
    there = len(review.objects("ConfigMap"))
    burst = review.trial().burst({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}, 5)
    assert (burst.accepted, burst.reason) == (3 - there, "Forbidden")


def test_pods_of_a_burst_do_not_start_while_a_quota_counts_them(review: Review) -> None:
    trial = review.trial()
    spec = {"containers": [{"name": "app", "image": "nginx:1.27"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": spec}
    assert trial.create(pod).accepted == 1
    assert trial.burst({**pod, "metadata": {"name": "more"}}, 2).accepted == 2
    trial.after(20)
    phases = {one["metadata"]["name"]: one["status"]["phase"] for one in trial.cluster.list("Pod")}
    assert phases == {"one-1": "Running", "more-1": "Pending", "more-2": "Pending"}


def test_a_trial_leaves_no_trace(review: Review) -> None:
    trial = review.trial()
    trial.delete(trial.object("ConfigMap", "settings"))
    with pytest.raises(Failed):
        trial.object("ConfigMap", "settings")
    review.unchanged("ConfigMap", "settings")


def test_waiting_in_vain_says_what_there_was_instead(review: Review) -> None:
    with pytest.raises(Failed, match="after 5 seconds: still blue") as failed:
        review.eventually("it is red", lambda: False, within=5, found=lambda: "still blue")
    assert (failed.value.wanted, failed.value.found) == ("it is red", "still blue")


def test_what_held_only_for_a_moment_does_not_count(review: Review) -> None:
    answers = iter([True, False])
    with pytest.raises(Failed):
        review.eventually("it is up", lambda: next(answers), within=5)


@pytest.mark.parametrize(
    ("output", "code", "body"),
    [
        ("<h1>hello</h1>\n\n200", 200, "<h1>hello</h1>\n"),
        ("curl: (7) Failed to connect\n\n000", 0, "curl: (7) Failed to connect\n"),
        ("odd", 0, "odd"),
    ],
)
def test_the_answer_to_a_request_is_read_from_the_log_of_the_pod_that_sent_it(
    review: Review, monkeypatch: pytest.MonkeyPatch, output: str, code: int, body: str
) -> None:
    trial = review.trial()
    monkeypatch.setattr(trial.cluster, "wait_until", lambda predicate, timeout: True)
    monkeypatch.setattr(trial.cluster, "logs", lambda pod, namespace: output)
    answer = trial.request("http://web")
    assert (answer.code, answer.body) == (code, body)


SERVICE: Object = {
    "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]},
}  # fmt: skip


def test_a_request_goes_through_the_service_to_a_pod_and_finds_nobody_without_one(review: Review) -> None:
    review.cluster.create(REPLICA_SET)
    review.cluster.create(SERVICE)
    owner = review.object("ReplicaSet", "web")
    review.has_ready_pods(owner, 2)
    answer = review.trial().request("http://web:8080/")
    assert (answer.code, "Welcome to nginx" in answer.body) == (200, True)
    trial = review.trial()
    trial.scale(owner, 0)
    trial.after(60)
    assert trial.request("http://web:8080/").code == 0
    assert review.trial().request("http://nobody/").code == 0


def test_a_drained_node_loses_its_pods_and_they_come_up_elsewhere(review: Review) -> None:
    review.cluster.create(REPLICA_SET)
    owner = review.object("ReplicaSet", "web")
    review.has_ready_pods(owner, 2)
    trial = review.trial()
    drained = trial.pods(owner)[0].object["spec"]["nodeName"]
    trial.drain(drained)
    trial.has_ready_pods(owner, 2)
    assert drained not in {pod.object["spec"]["nodeName"] for pod in trial.pods(owner)}


def test_a_bad_image_is_named_by_what_the_cluster_says_of_it(review: Review) -> None:
    review.cluster.create(REPLICA_SET)
    trial = review.trial()
    owner = trial.set_image(trial.object("ReplicaSet", "web"), "web", "nginx:9.99")
    for pod in trial.pods(owner):
        trial.delete(pod)
    with pytest.raises(Failed, match=r"ErrImagePull|ImagePullBackOff"):
        trial.has_ready_pods(owner, 2)


def test_a_node_without_power_is_noticed(review: Review) -> None:
    trial = review.trial()
    trial.cluster.power_off("worker-1")

    def is_unknown() -> bool:
        conditions = trial.cluster.get("Node", "worker-1")["status"]["conditions"]
        return any(one["type"] == "Ready" and one["status"] == "Unknown" for one in conditions)

    trial.eventually("worker-1 is not heard of", is_unknown, within=120)


def test_nobody_is_replaced_while_the_controller_manager_is_stopped(review: Review) -> None:
    review.cluster.create(REPLICA_SET)
    owner = review.object("ReplicaSet", "web")
    review.has_ready_pods(owner, 2)
    trial = review.trial()
    trial.cluster.stop("kube-controller-manager")
    trial.delete(trial.pods(owner)[0])
    with pytest.raises(Failed, match="1 ready of 1 Pods"):
        trial.has_ready_pods(owner, 2)
    trial.cluster.start("kube-controller-manager")
    trial.has_ready_pods(owner, 2)
