"""What still works, and what does not, while nobody writes the rules of Services."""

from __future__ import annotations

from autograder.checks import Trial


def experiment(trial: Trial) -> dict[str, object]:
    """Stop kube-proxy, ask the old Service, make a new one, replace the Pods, and ask again."""
    name = trial.values["name"]
    trial.cluster.stop("kube-proxy")
    trial.after(60)
    old = _answered(trial, name)
    trial.cluster.create({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "late"},
        "spec": {"ports": [{"port": 80}], "selector": {"app": name}},
    })  # fmt: skip
    trial.after(10)
    slices = trial.objects("EndpointSlice", labels={"kubernetes.io/service-name": "late"})
    endpoints = any(piece.object.get("endpoints") for piece in slices)
    new = _answered(trial, "late")
    for pod in trial.pods(trial.object("Deployment", name)):
        trial.delete(pod)
    trial.after(60)
    return {"old": old, "endpoints": endpoints, "new": new, "replaced": _answered(trial, name)}


def _answered(trial: Trial, service: str) -> bool:
    return trial.request(f"http://{service}").code == 200
