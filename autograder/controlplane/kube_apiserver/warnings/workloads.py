"""What is said of the objects that make pods. Source: the strategies of apps and batch, and pkg/api/job.

A change is only spoken of where it counts as one (``metadata.generation``), and then the whole template is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.kube_apiserver.defaulting.apps import TEMPLATE_GENERATION
from autograder.controlplane.kube_apiserver.warnings import pods
from autograder.controlplane.kube_apiserver.warnings.storage import of_claim_spec

Object = Mapping[str, Any]

_SPEC: Final = Path("spec")
_TEMPLATE: Final = _SPEC.child("template")
_JOB: Final = _SPEC.child("jobTemplate").child("spec")
_NAMES: Final = "Pod names and hostnames"
#: Of an indexed job, how many completions together with how much parallelism are hard to keep track of.
_MANY_COMPLETIONS: Final = 100_000
_MUCH_PARALLELISM: Final = 10_000


def of_new_workload(workload: Object) -> Iterator[str]:
    """What is said of a new Deployment, ReplicaSet or ReplicationController."""
    yield from pods.of_name(workload, _NAMES)
    yield from _of_template(workload)


def of_changed_workload(new: Object, old: Object) -> Iterator[str]:
    """What is said of a changed Deployment or ReplicaSet."""
    if _has_changed(new, old):
        yield from _of_template(new)


def of_changed_replication_controller(new: Object, old: Object) -> Iterator[str]:
    """What is said of a changed ReplicationController: of the template that it had before."""
    if _has_changed(new, old):
        yield from _of_template(old)


def of_new_daemon_set(daemon_set: Object) -> Iterator[str]:
    """What is said of a new DaemonSet."""
    yield from _of_template(daemon_set)


def of_changed_daemon_set(new: Object, old: Object) -> Iterator[str]:
    """What is said of a DaemonSet whose template has changed."""
    generations = (one["metadata"].get("annotations", {}).get(TEMPLATE_GENERATION) for one in (new, old))
    if next(generations) != next(generations):
        yield from _of_template(new)


def of_new_stateful_set(stateful_set: Object) -> Iterator[str]:
    """What is said of a new StatefulSet."""
    yield from _of_template(stateful_set)
    yield from _of_claims_and_history(stateful_set)


def of_changed_stateful_set(new: Object, old: Object) -> Iterator[str]:
    """What is said of a changed StatefulSet; the path of its claims is then spelt otherwise."""
    if _has_changed(new, old):
        yield from _of_template(new)
    yield from _of_claims_and_history(new, "Spec")


def of_new_job(job: Object) -> Iterator[str]:
    """What is said of a new Job."""
    yield from pods.of_name(job, _NAMES)
    yield from _of_job_spec(job["spec"], _SPEC)


def of_changed_job(new: Object, old: Object) -> Iterator[str]:
    """What is said of a changed Job."""
    if _has_changed(new, old):
        yield from _of_job_spec(new["spec"], _SPEC)


def of_new_cron_job(cron_job: Object) -> Iterator[str]:
    """What is said of a new CronJob."""
    yield from pods.of_name(cron_job, _NAMES)
    yield from _of_job_spec(cron_job["spec"]["jobTemplate"].get("spec") or {}, _JOB)


def of_changed_cron_job(new: Object, old: Object) -> Iterator[str]:
    """What is said of a changed CronJob."""
    if _has_changed(new, old):
        yield from _of_job_spec(new["spec"]["jobTemplate"].get("spec") or {}, _JOB)
    if "TZ" in new["spec"].get("schedule", ""):
        page = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
        yield f"cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see {page} for more details"


def of_new_pod_template(pod_template: Object) -> Iterator[str]:
    """What is said of a new PodTemplate."""
    yield from pods.of_template(pod_template.get("template") or {}, Path("template"))


def of_changed_pod_template(new: Object, old: Object) -> Iterator[str]:
    """What is said of a changed PodTemplate."""
    if _has_changed(new, old):
        yield from of_new_pod_template(new)


def _has_changed(new: Object, old: Object) -> bool:
    return bool(new["metadata"].get("generation") != old["metadata"].get("generation"))


def _of_template(workload: Object) -> Iterator[str]:
    yield from pods.of_template(workload["spec"].get("template") or {}, _TEMPLATE)


def _of_claims_and_history(stateful_set: Object, *below: str) -> Iterator[str]:
    spec = stateful_set["spec"]
    for position, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        path = _SPEC.child("volumeClaimTemplates").index(position)
        for name in below:
            path = path.child(name)
        yield from of_claim_spec(claim.get("spec") or {}, path)
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        retains = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {retains}"


def _of_job_spec(spec: Object, path: Path) -> Iterator[str]:
    many = (spec.get("completions") or 0) > _MANY_COMPLETIONS and (spec.get("parallelism") or 0) > _MUCH_PARALLELISM
    if spec.get("completionMode") == "Indexed" and many:
        yield (
            f"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than "
            "10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    yield from pods.of_template(spec.get("template") or {}, path.child("template"))
