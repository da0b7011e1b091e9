"""What the controllers of workloads do: keep numbers, roll out, roll back, finish, give up."""

from __future__ import annotations

import pytest
from lab import BUSYBOX, NEWER, NGINX, Lab, anywhere, condition, container, job, manifest, pod, template, why, workload

KEEPERS = ("Deployment", "ReplicaSet", "StatefulSet")


# ---------------------------------------------------------------- keeping a number


@anywhere
@pytest.mark.parametrize("kind", KEEPERS)
def test_a_pod_that_is_lost_is_replaced(lab: Lab, kind: str) -> None:
    lab.create(workload(kind, replicas=2))
    lab.runs(2, app="web")
    lost = lab.pods(app="web")[0]["metadata"]
    lab.cluster.delete("Pod", lost["name"], grace_period=0)
    lab.comes(lambda: lost["uid"] not in {one["metadata"]["uid"] for one in lab.pods(app="web")})
    lab.runs(2, app="web")


@anywhere
@pytest.mark.parametrize("kind", KEEPERS)
def test_scaling_makes_and_takes_away_pods(lab: Lab, kind: str) -> None:
    lab.create(workload(kind, replicas=1))
    lab.runs(1, app="web")
    for replicas in (3, 1, 0):
        lab.patch(kind, "web", {"spec": {"replicas": replicas}})
        lab.runs(replicas, app="web")


def test_a_replication_controller_keeps_its_number_too(lab: Lab) -> None:
    spec = {"replicas": 2, "selector": {"app": "web"}, "template": template("web")}
    lab.create(manifest("v1", "ReplicationController", "web", spec=spec))
    lab.runs(2, app="web")
    lab.cluster.delete("Pod", lab.names("Pod", app="web")[0], grace_period=0)
    lab.runs(2, app="web")


@anywhere
def test_a_replicaset_adopts_pods_that_match_and_deletes_those_too_many(lab: Lab) -> None:
    for number in range(3):
        lab.create(pod(f"lone-{number}", labels={"app": "web"}, terminationGracePeriodSeconds=1))
    lab.runs(3, app="web")
    lab.create(workload("ReplicaSet", replicas=2))
    lab.runs(2, app="web")
    assert all(one["metadata"]["ownerReferences"][0]["name"] == "web" for one in lab.pods(app="web"))
    assert {one["metadata"]["name"][:5] for one in lab.pods(app="web")} == {"lone-"}


@anywhere
def test_a_pod_whose_label_is_changed_is_let_go_and_replaced(lab: Lab) -> None:
    lab.create(workload("ReplicaSet", replicas=2))
    lab.runs(2, app="web")
    freed = lab.names("Pod", app="web")[0]
    lab.patch("Pod", freed, {"metadata": {"labels": {"app": "freed"}}})
    lab.runs(2, app="web")
    assert "ownerReferences" not in lab.get("Pod", freed)["metadata"]


# ---------------------------------------------------------------- deployments


@anywhere
def test_a_rolling_update_replaces_every_pod(lab: Lab) -> None:
    lab.create(workload("Deployment"))
    lab.runs(3, app="web")
    lab.roll_out("Deployment", "web", NEWER)
    lab.comes(lambda: lab.images(app="web") == [NEWER] * 3)
    sizes = sorted(one["spec"]["replicas"] for one in lab.objects("ReplicaSet", app="web"))
    assert sizes == [0, 3]


def test_a_rolling_update_never_goes_below_or_above_what_it_may(lab: Lab) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    lab.create(workload("Deployment", replicas=4, strategy=rolling))
    lab.runs(4, app="web")
    seen = []

    def is_done() -> bool:
        seen.append(
            (len(lab.ready(app="web")), sum(r["spec"]["replicas"] for r in lab.objects("ReplicaSet", app="web")))
        )
        return lab.images(app="web") == [NEWER] * 4

    lab.roll_out("Deployment", "web", NEWER)
    lab.comes(is_done)
    assert len(seen) > 2
    assert min(ready for ready, _ in seen) >= 3
    assert max(wanted for _, wanted in seen) <= 5


@anywhere
def test_a_bad_image_leaves_the_old_pods_serving(lab: Lab) -> None:
    lab.create(workload("Deployment"))
    lab.runs(3, app="web")
    lab.roll_out("Deployment", "web", "nginx:no-such-tag")
    lab.comes(lambda: len(lab.pods(app="web")) == 4)
    lab.stays(lambda: lab.images(app="web") == [NGINX] * 3)


def test_a_rollout_that_does_not_get_on_says_so_after_its_deadline(lab: Lab) -> None:
    lab.create(workload("Deployment", "web", 1, container("nginx:no-such-tag"), progressDeadlineSeconds=30))
    lab.comes(lambda: why(lab.get("Deployment", "web"), "Progressing") == "ProgressDeadlineExceeded")


@anywhere
def test_going_back_to_an_old_template_brings_its_replicaset_back(lab: Lab) -> None:
    lab.create(workload("Deployment", replicas=2))
    lab.runs(2, app="web")
    (old,) = lab.names("ReplicaSet", app="web")
    for image in (NEWER, NGINX):
        lab.roll_out("Deployment", "web", image)
        lab.comes(lambda image=image: lab.images(app="web") == [image] * 2)  # type: ignore[misc]
    assert len(lab.names("ReplicaSet", app="web")) == 2
    assert lab.get("ReplicaSet", old)["spec"]["replicas"] == 2


def test_recreate_ends_all_old_pods_before_it_starts_new_ones(lab: Lab) -> None:
    lab.create(workload("Deployment", strategy={"type": "Recreate"}))
    lab.runs(3, app="web")
    mixed = []

    def is_done() -> bool:
        mixed.append(len({one["spec"]["containers"][0]["image"] for one in lab.objects("Pod", app="web")}) > 1)
        return lab.images(app="web") == [NEWER] * 3

    lab.roll_out("Deployment", "web", NEWER)
    lab.comes(is_done)
    assert not any(mixed)


@anywhere
def test_a_paused_deployment_scales_but_does_not_roll_out(lab: Lab) -> None:
    lab.create(workload("Deployment", replicas=1))
    lab.runs(1, app="web")
    lab.patch("Deployment", "web", {"spec": {"paused": True}})
    lab.roll_out("Deployment", "web", NEWER)
    lab.patch("Deployment", "web", {"spec": {"replicas": 2}})
    lab.runs(2, app="web")
    assert lab.images(app="web") == [NGINX] * 2
    lab.patch("Deployment", "web", {"spec": {"paused": False}})
    lab.comes(lambda: lab.images(app="web") == [NEWER] * 2)


# ---------------------------------------------------------------- daemonsets and statefulsets


def daemon(**spec: object) -> dict[str, object]:
    body = {"selector": {"matchLabels": {"app": "daemon"}}, "template": template("daemon", **spec)}
    return manifest("apps/v1", "DaemonSet", "daemon", spec=body)


@anywhere
def test_a_daemonset_runs_once_on_every_node_that_takes_pods(lab: Lab) -> None:
    lab.create(daemon())
    lab.comes(
        lambda: sorted(one["spec"].get("nodeName", "") for one in lab.ready(app="daemon")) == sorted(lab.workers())
    )
    assert lab.status("DaemonSet", "daemon")["desiredNumberScheduled"] == len(lab.workers())


def test_a_daemonset_goes_where_its_tolerations_let_it_and_follows_labels(lab: Lab) -> None:
    lab.create(daemon(tolerations=[{"operator": "Exists"}], nodeSelector={"disk": "fast"}))
    lab.stays(lambda: not lab.pods(app="daemon"))
    lab.patch("Node", "control-plane", {"metadata": {"labels": {"disk": "fast"}}})
    lab.runs(1, app="daemon")
    lab.patch("Node", "control-plane", {"metadata": {"labels": {"disk": None}}})
    lab.runs(0, app="daemon")


@anywhere
def test_a_statefulset_numbers_its_pods_and_starts_them_one_after_the_other(lab: Lab) -> None:
    lab.create(workload("StatefulSet", serviceName="web"))
    lab.runs(3, app="web")
    pods = sorted(lab.pods(app="web"), key=lambda one: one["metadata"]["creationTimestamp"])
    assert [one["metadata"]["name"] for one in pods] == ["web-0", "web-1", "web-2"]


@anywhere
def test_a_statefulset_waits_for_a_pod_that_is_not_ready(lab: Lab) -> None:
    never = container(readinessProbe={"exec": {"command": ["false"]}, "periodSeconds": 1})
    lab.create(workload("StatefulSet", "web", 3, never, serviceName="web"))
    lab.comes(lambda: bool(lab.pods(app="web")))
    lab.stays(lambda: lab.names("Pod", app="web") == ["web-0"])


def test_a_statefulset_updates_from_the_last_pod_down_to_its_partition(lab: Lab) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    lab.create(workload("StatefulSet", serviceName="web", updateStrategy=strategy))
    lab.runs(3, app="web")
    lab.roll_out("StatefulSet", "web", NEWER)
    lab.comes(lambda: lab.images(app="web") == [NGINX, NGINX, NEWER])
    assert lab.get("Pod", "web-2")["spec"]["containers"][0]["image"] == NEWER


# ---------------------------------------------------------------- jobs


@anywhere
def test_a_job_runs_to_its_completions(lab: Lab) -> None:
    lab.create(job("sum", "echo 4", completions=3, parallelism=2))
    lab.comes(lambda: condition(lab.get("Job", "sum"), "Complete") == "True")
    assert lab.status("Job", "sum")["succeeded"] == 3
    assert lab.cluster.logs(lab.names("Pod", **{"job-name": "sum"})[0]) == "4\n"


@anywhere
def test_a_job_gives_up_after_its_backoff_limit(lab: Lab) -> None:
    lab.create(job("sum", "exit 3", backoffLimit=0))
    lab.comes(lambda: condition(lab.get("Job", "sum"), "Failed") == "True")
    assert why(lab.get("Job", "sum"), "Failed") == "BackoffLimitExceeded"
    assert lab.status("Job", "sum")["failed"] == 1


def test_a_job_ends_at_its_deadline(lab: Lab) -> None:
    lab.create(job("sum", "sleep 600", activeDeadlineSeconds=20))
    lab.comes(lambda: why(lab.get("Job", "sum"), "Failed") == "DeadlineExceeded")
    lab.comes(lambda: not lab.pods(**{"job-name": "sum"}))


def test_a_finished_job_goes_after_its_time(lab: Lab) -> None:
    lab.create(job("sum", "true", ttlSecondsAfterFinished=30))
    lab.comes(lambda: condition(lab.get("Job", "sum"), "Complete") == "True")
    lab.comes(lambda: lab.is_gone("Job", "sum") and not lab.names("Pod", **{"job-name": "sum"}))


def test_a_suspended_job_waits(lab: Lab) -> None:
    lab.create(job("sum", "true", suspend=True))
    lab.stays(lambda: not lab.pods(**{"job-name": "sum"}))
    lab.patch("Job", "sum", {"spec": {"suspend": False}})
    lab.comes(lambda: condition(lab.get("Job", "sum"), "Complete") == "True")


def test_a_cronjob_makes_a_job_each_minute_and_keeps_few(lab: Lab) -> None:
    inside = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container(BUSYBOX, "true")]}}}}
    spec = {"schedule": "* * * * *", "jobTemplate": inside, "successfulJobsHistoryLimit": 2}
    lab.create(manifest("batch/v1", "CronJob", "tick", spec=spec))
    lab.cluster.advance(61)
    assert len(lab.names("Job")) == 1
    lab.cluster.advance(240)
    assert len(lab.names("Job")) == 2
    lab.patch("CronJob", "tick", {"spec": {"suspend": True}})
    before = lab.names("Job")
    lab.stays(lambda: lab.names("Job") == before, 180)
