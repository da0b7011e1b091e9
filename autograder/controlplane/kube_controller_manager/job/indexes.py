"""Sets of completion indexes, as the status of an Indexed Job writes them: ``1,3-5,7``.

Source: pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.apimachinery.wire import Object

INDEX: Final = "batch.kubernetes.io/job-completion-index"
ENV_NAME: Final = "JOB_COMPLETION_INDEX"
LONGEST_PREFIX: Final = 58


def parse(text: str, completions: int) -> set[int]:
    """The indexes below ``completions`` that a text names; parts that cannot be read name none."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        start, end = integers.read(first), integers.read(last or first)
        if start is not None and end is not None:
            found.update(range(start, min(end + 1, completions)))
    return found


def spell(indexes: Iterable[int]) -> str:
    """The indexes as text; two neighbours are listed, three and more are a range."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs]
    return ",".join(parts)


def index_of(pod: Object) -> int | None:
    """The completion index of a pod, or None."""
    index = integers.read(pod["metadata"].get("annotations", {}).get(INDEX, ""))
    return index if index is not None and index >= 0 else None


def name_prefix(job: str, index: int) -> str:
    """What the name of an index's pod begins with."""
    tail = f"-{index}-"
    return job[: LONGEST_PREFIX - len(tail)] + tail


def template_of(job: Object, template: Object, index: int) -> Object:
    """The pod template of one index: it is told its index by annotation, label, host name and environment."""
    meta, spec = template["metadata"], template["spec"]
    own = {INDEX: str(index)}
    metadata = {
        **meta,
        "annotations": {**meta.get("annotations", {}), **own},
        "labels": {**meta.get("labels", {}), **own},
    }
    spec = {**spec, "hostname": f"{job['metadata']['name']}-{index}"}
    for field in ("initContainers", "containers"):
        if field in spec:
            spec[field] = [_told_its_index(container) for container in spec[field]]
    return {"metadata": metadata, "spec": spec}


def _told_its_index(container: Object) -> Object:
    env = container.get("env", [])
    if any(one["name"] == ENV_NAME for one in env):
        return container
    reference = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    return {**container, "env": [*env, {"name": ENV_NAME, "valueFrom": reference}]}
