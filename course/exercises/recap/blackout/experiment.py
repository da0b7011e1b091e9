"""What goes on, and what does not, without controllers and scheduler."""

from __future__ import annotations

from autograder.checks import Trial

ANSWERED = "answered"

#: Calls the Service every ten seconds; it is there before anything is stopped, since later nobody would give it a node.
CALLER = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "caller"},
    "spec": {
        "containers": [
            {
                "name": "caller",
                "image": "busybox:1.36",
                "command": ["sh", "-c", f"while true; do wget -qO- http://web && echo {ANSWERED}; sleep 10; done"],
            }
        ]
    },
}


def experiment(trial: Trial) -> dict[str, object]:
    """Stop both, call the Service, delete a Pod, and ask for something new."""
    owner = trial.object("Deployment", "web")
    trial.cluster.create(CALLER)
    trial.after(40)
    for component in ("kube-controller-manager", "kube-scheduler"):
        trial.cluster.stop(component)
    trial.after(60)
    (phase,) = {pod.field("status.phase").value for pod in trial.pods(owner)}
    before = trial.cluster.logs("caller").count(ANSWERED)
    trial.after(60)
    answers = trial.cluster.logs("caller").count(ANSWERED) > before
    trial.delete(trial.pods(owner)[0])
    trial.after(60)
    another = {**owner.object, "metadata": {"name": "another"}}
    another.pop("status", None)
    return {
        "answers": answers,
        "phase": phase,
        "replaced": len(trial.pods(owner)) == 2,
        "created": trial.create(another).refusal is None,
    }
