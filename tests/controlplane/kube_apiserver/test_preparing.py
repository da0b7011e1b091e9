"""What the server decides of an object itself, whatever a client sends."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery.qos import qos_class
from autograder.controlplane.kube_apiserver import preparing


def deployment(replicas=1, **metadata):
    """A Deployment as it stands in the store."""
    metadata = {"name": "web", "generation": 4, **metadata}
    return {"metadata": metadata, "spec": {"replicas": replicas}, "status": {"replicas": 1}}


def test_a_new_object_has_a_fresh_status_and_generation_one():
    new = deployment(generation=7)
    preparing.prepare_for_create("apps/v1.Deployment", new)
    assert (new["status"], new["metadata"]["generation"]) == ({}, 1)


def test_an_update_keeps_the_status_and_counts_changes_of_the_spec():
    new = {**deployment(replicas=2), "status": {"replicas": 99}}
    preparing.prepare_for_update("apps/v1.Deployment", new, deployment())
    assert (new["status"], new["metadata"]["generation"]) == ({"replicas": 1}, 5)


def test_an_update_without_a_change_is_not_counted():
    new = deployment()
    preparing.prepare_for_update("apps/v1.Deployment", new, deployment())
    assert new["metadata"]["generation"] == 4


@pytest.mark.parametrize(("kind", "generation"), [("apps/v1.Deployment", 5), ("apps/v1.ReplicaSet", 4)])
def test_deployments_count_changes_of_annotations_too(kind, generation):
    new = deployment(annotations={"a": "b"})
    preparing.prepare_for_update(kind, new, deployment())
    assert new["metadata"]["generation"] == generation


def test_a_status_update_keeps_the_spec():
    new = {**deployment(replicas=9), "status": {"replicas": 2}}
    preparing.prepare_for_update("apps/v1.Deployment", new, deployment(), "status")
    assert (new["spec"], new["status"]) == ({"replicas": 1}, {"replicas": 2})


def test_pods_of_a_job_are_found_by_its_uid():
    job = {"metadata": {"name": "j", "uid": "u1"}, "spec": {"template": {"metadata": {}}}}
    preparing.prepare_for_create("batch/v1.Job", job)
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    assert job["spec"]["template"]["metadata"]["labels"] == {
        "job-name": "j", "batch.kubernetes.io/job-name": "j",
        "controller-uid": "u1", "batch.kubernetes.io/controller-uid": "u1",
    }  # fmt: skip


def test_a_daemon_set_counts_changes_of_its_template():
    new = {"metadata": {"name": "d"}, "spec": {"template": {"spec": {}}}}
    preparing.prepare_for_create("apps/v1.DaemonSet", new)
    assert new["metadata"]["annotations"] == {preparing.TEMPLATE_GENERATION: "1"}
    changed = {"metadata": {"name": "d", "generation": 1}, "spec": {"template": {"spec": {"hostNetwork": True}}}}
    preparing.prepare_for_update("apps/v1.DaemonSet", changed, new)
    assert changed["metadata"]["annotations"] == {preparing.TEMPLATE_GENERATION: "2"}
    assert changed["metadata"]["generation"] == 2


def test_gated_pods_say_so():
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [], "schedulingGates": [{"name": "g"}]}}
    preparing.prepare_for_create("core/v1.Pod", pod)
    [condition] = pod["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "SchedulingGated")


def container(requests=None, limits=None):
    """A container with resources."""
    return {"resources": {"requests": requests or {}, "limits": limits or {}}}


FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [container()]}, "BestEffort"),
        ({"containers": [container({"cpu": "0"})]}, "BestEffort"),
        ({"containers": [container(FULL, FULL)]}, "Guaranteed"),
        ({"containers": [container(FULL, {"cpu": "1000m", "memory": "1024Mi"})]}, "Guaranteed"),
        ({"containers": [container(FULL, FULL), container()]}, "Burstable"),
        ({"containers": [container({"cpu": "1"}, {"cpu": "1"})]}, "Burstable"),
        ({"containers": [container({"cpu": "1"})]}, "Burstable"),
        ({"containers": [container(FULL, FULL)], "initContainers": [container({"cpu": "1"})]}, "Burstable"),
        ({"containers": [container({"cpu": "1"})], "resources": {"requests": FULL, "limits": FULL}}, "Guaranteed"),
        ({"containers": [container({"cpu": "1"})], "resources": {}}, "BestEffort"),
    ],
)
def test_quality_of_service(spec, expected):
    assert qos_class(spec) == expected


def with_container(**container):
    """A pod, ready to be prepared."""
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", **container}]}}


@pytest.mark.parametrize(
    ("container", "left"),
    [
        ({"lifecycle": {"stopSignal": "SIGTERM"}}, {}),
        ({"lifecycle": {"stopSignal": "SIGTERM", "preStop": {}}}, {"lifecycle": {"preStop": {}}}),
    ],
)
def test_signals_that_end_containers_are_off_by_default(container, left):
    pod = with_container(**container)
    preparing.prepare_for_create("core/v1.Pod", pod)
    assert pod["spec"]["containers"] == [{"name": "c", **left}]


def test_projections_of_features_that_are_off_leave_an_empty_source():
    pod = with_container()
    pod["spec"]["volumes"] = [{"name": "v", "projected": {"sources": [{"clusterTrustBundle": {"path": "p"}}]}}]
    preparing.prepare_for_create("core/v1.Pod", pod)
    assert pod["spec"]["volumes"][0]["projected"]["sources"] == [{}]


def test_templates_lose_what_pods_lose():
    new = deployment()
    new["spec"]["template"] = {"spec": with_container(lifecycle={"stopSignal": "SIGTERM"})["spec"]}
    preparing.prepare_for_create("apps/v1.Deployment", new)
    assert new["spec"]["template"]["spec"]["containers"] == [{"name": "c"}]


def test_how_many_replicas_a_stateful_set_may_miss_is_off_by_default():
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1, "maxUnavailable": "50%"}}
    new = {"metadata": {"name": "s"}, "spec": {"updateStrategy": rolling}}
    preparing.prepare_for_create("apps/v1.StatefulSet", new)
    assert new["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 1}


def test_a_client_may_state_the_quality_of_service_and_no_more_of_the_status():
    pod = {**with_container(), "status": {"phase": "Running", "qosClass": "Burstable"}}
    preparing.prepare_for_create("core/v1.Pod", pod)
    assert pod["status"] == {"phase": "Pending", "qosClass": "Burstable"}


@pytest.mark.parametrize(
    ("annotated", "profile"),
    [
        ("runtime/default", {"type": "RuntimeDefault"}),
        ("unconfined", {"type": "Unconfined"}),
        ("localhost/mine", {"type": "Localhost", "localhostProfile": "mine"}),
        ("localhost/", None),
        ("else", None),
    ],
)
def test_annotated_apparmor_profiles_become_fields(annotated, profile):
    pod = with_container()
    pod["metadata"]["annotations"] = {"container.apparmor.security.beta.kubernetes.io/c": annotated}
    preparing.prepare_for_create("core/v1.Pod", pod)
    assert pod["spec"]["containers"][0].get("securityContext", {}).get("appArmorProfile") == profile


def test_a_limit_range_without_a_name_gets_one():
    new = {"metadata": {"uid": "u"}, "spec": {}}
    preparing.prepare_for_create("core/v1.LimitRange", new)
    assert new["metadata"]["name"] == "u"
