"""What becomes of a Pod, and of its ReplicaSet, when the Pod's label is changed and changed back."""

from __future__ import annotations

from autograder.checks import Trial

PATIENCE = 30


def experiment(trial: Trial) -> dict[str, object]:
    """Take one Pod out, look, put it back, and look again."""
    owner = trial.object("ReplicaSet", trial.values["name"])
    name = trial.pods(owner)[0].name
    _label(trial, name, "sick")
    there = {pod.name: pod for pod in trial.objects("Pod")}
    owned = [pod.name for pod in trial.pods(owner)]
    seen = {
        "phase": there[name].field("status.phase").value if name in there else "gone",
        "owned": name in owned,
        "pods": len(owned),
        "total": len(there),
    }
    _label(trial, name, trial.values["name"])
    return {**seen, "back": len(trial.objects("Pod"))}


def _label(trial: Trial, name: str, app: str) -> None:
    """Give the Pod of this name another label, if it is there, and wait; it may be gone at once."""
    if any(pod.name == name for pod in trial.objects("Pod")):
        trial.cluster.patch("Pod", name, {"metadata": {"labels": {"app": app}}}, trial.case.namespace)
    trial.after(PATIENCE)
