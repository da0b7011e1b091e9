"""Watches a rollout moment by moment, and counts."""

from __future__ import annotations

from autograder.checks import Subject, Trial

STEP = 0.25
MOMENTS = 160


def experiment(trial: Trial) -> dict[str, object]:
    """Roll out twice, and keep the largest and the smallest numbers seen."""
    owner = trial.object("Deployment", trial.values["name"])
    most, least = _extremes(trial, owner, "nginx:1.27")
    owner = trial.patch(owner, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
    _, lowest = _extremes(trial, owner, "nginx:1.28")
    return {"most": most, "least": least, "recreate": lowest}


def _extremes(trial: Trial, owner: Subject, image: str) -> tuple[int, int]:
    """The most Pods, and the fewest ready ones, while an image is rolled out."""
    trial.set_image(owner, "nginx", image)
    counts, ready = [], []
    for _ in range(MOMENTS):
        pods = [pod for pod in trial.pods(owner) if "deletionTimestamp" not in pod.object["metadata"]]
        counts.append(len(pods))
        ready.append(len(trial.ready_pods(owner)))
        trial.after(STEP)
    return max(counts), min(ready)
