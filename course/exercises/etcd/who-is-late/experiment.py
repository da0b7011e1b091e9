"""What raises the resourceVersion of an object, and what becomes of one who sends an old one."""

from __future__ import annotations

from autograder.checks import Trial
from autograder.controlplane.apimachinery.errors import StatusError


def experiment(trial: Trial) -> dict[str, object]:
    """Write to another key, write nothing new, write in time and too late."""
    plan = trial.object("ConfigMap", trial.values["name"])
    read = version(trial)
    trial.patch(trial.object("ConfigMap", "notes"), {"data": {"text": "changed"}})
    other = version(trial) != read
    trial.patch(plan, {"metadata": {"labels": {"team": "shop"}}})
    again = version(trial) != read
    read_by_ben = version(trial)
    trial.patch(plan, {"data": {"owner": "anna"}})
    late = 200
    try:
        trial.patch(plan, {"metadata": {"resourceVersion": read_by_ben}, "data": {"owner": "ben"}})
    except StatusError as refusal:
        late = refusal.code
    return {"other": other, "again": again, "late": late, "owner": plan.refreshed().field("data.owner").value}


def version(trial: Trial) -> str:
    """The resourceVersion of the plan as it is now."""
    return str(trial.object("ConfigMap", trial.values["name"]).field("metadata.resourceVersion").value)
