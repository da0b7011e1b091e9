"""The tables of what makes pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.tables.ages import age, between
from autograder.controlplane.kube_apiserver.tables.printer import (
    AGE,
    CONTAINERS,
    NAME,
    NONE,
    UNSET,
    Column,
    Printer,
    age_of,
    containers,
    labels,
    name_of,
    selector,
    selector_or_none,
    true_condition,
)

#: What STATUS of a job says, by the first of these conditions that is true; None stands for a job being deleted.
_JOB_STATUS: Final = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    (None, "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _spec_and_status(obj: Object) -> tuple[Object, Object]:
    return obj.get("spec") or {}, obj.get("status") or {}


def _template_containers(spec: Object) -> list[str]:
    return containers((spec.get("template") or {}).get("spec") or {})


def _replicas(select: Callable[[Any], str]) -> Callable[[Object, int], list[Any]]:
    """The cells of a ReplicaSet or ReplicationController, which differ in the form of their selectors."""

    def cells(obj: Object, now: int) -> list[Any]:
        spec, status = _spec_and_status(obj)
        return [
            name_of(obj),
            spec.get("replicas", 0),
            status.get("replicas", 0),
            status.get("readyReplicas", 0),
            age_of(obj, now),
            *_template_containers(spec),
            select(spec.get("selector")),
        ]

    return cells


def _deployment(obj: Object, now: int) -> list[Any]:
    spec, status = _spec_and_status(obj)
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age_of(obj, now),
        *_template_containers(spec),
        selector(spec.get("selector")),
    ]


def _stateful_set(obj: Object, now: int) -> list[Any]:
    spec, status = _spec_and_status(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [name_of(obj), ready, age_of(obj, now), *_template_containers(spec)]


def _daemon_set(obj: Object, now: int) -> list[Any]:
    spec, status = _spec_and_status(obj)
    counts = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable"
    )  # fmt: skip
    pod_spec = (spec.get("template") or {}).get("spec") or {}
    return [
        name_of(obj),
        *(status.get(count, 0) for count in counts),
        labels(pod_spec.get("nodeSelector")),
        age_of(obj, now),
        *containers(pod_spec),
        selector_or_none(spec.get("selector")),
    ]


def _job(obj: Object, now: int) -> list[Any]:
    spec, status = _spec_and_status(obj)
    return [
        name_of(obj),
        _job_status(obj, status.get("conditions") or ()),
        _completions(spec, status.get("succeeded", 0)),
        _job_duration(status, now),
        age_of(obj, now),
        *_template_containers(spec),
        selector_or_none(spec.get("selector")),
    ]


def _job_status(job: Object, conditions: Any) -> str:
    for condition, text in _JOB_STATUS:
        if true_condition(conditions, condition) if condition else job["metadata"].get("deletionTimestamp"):
            return text
    return "Running"


def _completions(spec: Object, succeeded: int) -> str:
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(status: Object, now: int) -> str:
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    return between(start, end) if end else age(start, now)


def _cron_job(obj: Object, now: int) -> list[Any]:
    spec, status = _spec_and_status(obj)
    suspend = spec.get("suspend")
    last = status.get("lastScheduleTime")
    job_spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return [
        name_of(obj),
        spec.get("schedule", ""),
        NONE if spec.get("timeZone") is None else spec["timeZone"],
        UNSET if suspend is None else str(suspend),
        len(status.get("active") or ()),
        age(last, now) if last else NONE,
        age_of(obj, now),
        *_template_containers(job_spec),
        selector_or_none(job_spec.get("selector")),
    ]


def _controller_revision(obj: Object, now: int) -> list[Any]:
    owners = obj["metadata"].get("ownerReferences") or ()
    owner = next((_owner(reference) for reference in owners if reference.get("controller")), NONE)
    return [name_of(obj), owner, obj.get("revision", 0), age_of(obj, now)]


def _owner(reference: Object) -> str:
    """``daemonset.apps/web``: what controls an object, with its kind and group."""
    group = reference["apiVersion"].rpartition("/")[0]
    kind = f"{reference['kind']}.{group}" if group else reference["kind"]
    return f"{kind.lower()}/{reference['name']}"


def _scale(obj: Object, now: int) -> list[Any]:
    spec, status = _spec_and_status(obj)
    return [name_of(obj), spec.get("replicas", 0), status.get("replicas", 0), age_of(obj, now)]


def _replica_columns(kind: str) -> tuple[Column, ...]:
    return (
        NAME,
        Column("Desired", f"{kind}Spec.replicas", "integer"),
        Column("Current", f"{kind}Status.replicas", "integer"),
        Column("Ready", f"{kind}Status.readyReplicas", "integer"),
        AGE,
        *CONTAINERS,
        Column("Selector", f"{kind}Spec.selector", priority=1),
    )


_READY: Final = Column("Ready", text="Number of the pod with ready state")

PRINTERS: Final = {
    ("", "ReplicationController"): Printer(_replica_columns("core.v1.ReplicationController"), _replicas(labels)),
    ("apps", "ReplicaSet"): Printer(_replica_columns("apps.v1.ReplicaSet"), _replicas(selector_or_none)),
    ("apps", "Deployment"): Printer(
        (
            NAME,
            _READY,
            Column("Up-to-date", "apps.v1.DeploymentStatus.updatedReplicas"),
            Column("Available", "apps.v1.DeploymentStatus.availableReplicas"),
            AGE,
            *CONTAINERS,
            Column("Selector", "apps.v1.DeploymentSpec.selector", priority=1),
        ),
        _deployment,
    ),
    ("apps", "StatefulSet"): Printer((NAME, _READY, AGE, *CONTAINERS), _stateful_set),
    ("apps", "DaemonSet"): Printer(
        (
            NAME,
            Column("Desired", "apps.v1.DaemonSetStatus.desiredNumberScheduled", "integer"),
            Column("Current", "apps.v1.DaemonSetStatus.currentNumberScheduled", "integer"),
            Column("Ready", "apps.v1.DaemonSetStatus.numberReady", "integer"),
            Column("Up-to-date", "apps.v1.DaemonSetStatus.updatedNumberScheduled", "integer"),
            Column("Available", "apps.v1.DaemonSetStatus.numberAvailable", "integer"),
            Column("Node Selector", "core.v1.PodSpec.nodeSelector"),
            AGE,
            *CONTAINERS,
            Column("Selector", "apps.v1.DaemonSetSpec.selector", priority=1),
        ),
        _daemon_set,
    ),
    ("apps", "ControllerRevision"): Printer(
        (
            NAME,
            Column("Controller", text="Controller of the object"),
            Column("Revision", "apps.v1.ControllerRevision.revision"),
            AGE,
        ),
        _controller_revision,
    ),
    ("batch", "Job"): Printer(
        (
            NAME,
            Column("Status", text="Status of the job."),
            Column("Completions", "batch.v1.JobStatus.succeeded"),
            Column("Duration", text="Time required to complete the job."),
            AGE,
            *CONTAINERS,
            Column("Selector", "batch.v1.JobSpec.selector", priority=1),
        ),
        _job,
    ),
    ("batch", "CronJob"): Printer(
        (
            NAME,
            Column("Schedule", "batch.v1.CronJobSpec.schedule"),
            Column("Timezone", "batch.v1.CronJobSpec.timeZone"),
            Column("Suspend", "batch.v1.CronJobSpec.suspend", "boolean"),
            Column("Active", "batch.v1.CronJobStatus.active", "integer"),
            Column("Last Schedule", "batch.v1.CronJobStatus.lastScheduleTime"),
            AGE,
            *CONTAINERS,
            Column("Selector", "batch.v1.JobSpec.selector", priority=1),
        ),
        _cron_job,
    ),
    ("autoscaling", "Scale"): Printer(
        (
            Column("Name", "meta.v1.ObjectMeta.name"),
            Column("Desired", "autoscaling.v1.ScaleSpec.replicas", "integer"),
            Column("Available", "autoscaling.v1.ScaleStatus.replicas", "integer"),
            AGE,
        ),
        _scale,
    ),
}
