"""Deployments, DaemonSets and Jobs: the generation of a template, and how a Job finds its pods."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.kube_apiserver.defaulting.apps import TEMPLATE_GENERATION
from autograder.controlplane.kube_apiserver.preparing.keeping import keep

Obj = dict[str, Any]

JOB_NAME_LABELS: Final = ("job-name", "batch.kubernetes.io/job-name")
JOB_UID_LABELS: Final = ("controller-uid", "batch.kubernetes.io/controller-uid")


def update_deployment_status(new: Obj, old: Obj) -> None:
    """Leave the labels as they were."""
    keep(("labels",), new["metadata"], old["metadata"])


def create_daemon_set(daemon_set: Obj) -> None:
    """Begin to count the generations of the template; a count that a client gives goes on."""
    _set_template_generation(daemon_set, max(_template_generation(daemon_set), 1))


def update_daemon_set(new: Obj, old: Obj) -> None:
    """Count a change of the template, whatever a client says of it."""
    changed = new["spec"].get("template") != old["spec"].get("template")
    _set_template_generation(new, _template_generation(old) + changed)


def update_daemon_set_status(new: Obj, old: Obj) -> None:
    """The generation of the template belongs to the spec, although it is shown as an annotation."""
    _set_template_generation(new, _template_generation(old))


def _template_generation(daemon_set: Obj) -> int:
    return int(daemon_set["metadata"].get("annotations", {}).get(TEMPLATE_GENERATION, "0"))


def _set_template_generation(daemon_set: Obj, generation: int) -> None:
    annotations = daemon_set["metadata"].get("annotations", {})
    if annotations.get(TEMPLATE_GENERATION) != str(generation):
        marked = {**annotations, TEMPLATE_GENERATION: str(generation)}
        daemon_set["metadata"]["annotations"] = dict(sorted(marked.items()))


def create_job(job: Obj) -> None:
    """Unless the client manages the selector itself, pods are found by the job's uid."""
    spec, metadata = job["spec"], job["metadata"]
    if spec.get("manualSelector"):
        return
    own = {name: metadata.get("name", "") for name in JOB_NAME_LABELS} | {
        name: metadata.get("uid", "") for name in JOB_UID_LABELS
    }
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    given = template.get("labels", {})
    template["labels"] = dict(sorted({**own, **given}.items()))
    if given and metadata.get("labels") is given:  # defaulted: the job's labels are those of its template
        metadata["labels"] = template["labels"]
    selector = spec.setdefault("selector", {})
    found = {JOB_UID_LABELS[1]: metadata.get("uid", ""), **selector.get("matchLabels", {})}
    selector["matchLabels"] = dict(sorted(found.items()))


def finish_job(job: Obj) -> None:
    """A job without labels has those of its pods."""
    labels = job["spec"].get("template", {}).get("metadata", {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)
