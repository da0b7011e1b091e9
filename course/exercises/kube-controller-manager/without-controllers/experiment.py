"""What becomes of a Deployment, and of a Pod without an owner, while no controller works."""

from __future__ import annotations

from autograder.checks import Trial

SINGLE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "single"},
    "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
}


def experiment(trial: Trial) -> dict[str, object]:
    """Stop the controllers, delete, scale and create, wait, and look."""
    owner = trial.object("Deployment", trial.values["name"])
    gone, *others = trial.pods(owner)
    trial.cluster.stop("kube-controller-manager")
    trial.delete(gone)
    owner = trial.scale(owner, 5)
    trial.cluster.create(SINGLE, trial.case.namespace)
    trial.after(60)
    ready = {pod.name for pod in trial.ready_pods(owner)}
    return {
        "wanted": owner.refreshed().field("spec.replicas").value,
        "pods": len(trial.pods(owner)),
        "bare": trial.object("Pod", "single").field("status.phase").value,
        "ready": all(pod.name in ready for pod in others),
    }
