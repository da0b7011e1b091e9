"""What becomes of a Deployment while no controller runs, and when they run again."""

from __future__ import annotations

from typing import Any

from autograder.checks import Trial


def manifest(name: str) -> dict[str, Any]:
    """A Deployment with two replicas."""
    labels = {"app": name}
    containers = [{"name": "web", "image": "nginx:1.27"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def experiment(trial: Trial) -> dict[str, object]:
    """Stop the controllers, create, look; start them, look again."""
    name = trial.values["name"]
    trial.cluster.stop("kube-controller-manager")
    trial.cluster.create(manifest(name), trial.case.namespace)
    trial.after(60)
    before = {
        "stored": any(deployment.name == name for deployment in trial.objects("Deployment")),
        "replicasets": len(trial.objects("ReplicaSet", labels={"app": name})),
        "pods": len(trial.objects("Pod", labels={"app": name})),
    }
    trial.cluster.start("kube-controller-manager")
    trial.after(30)
    return {**before, "afterwards": len(trial.ready_pods(trial.object("Deployment", name)))}
