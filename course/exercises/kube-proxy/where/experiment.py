"""Asks every node, takes a kube-proxy away, and talks to a Pod without any Service."""

from __future__ import annotations

from autograder.checks import Trial

SYSTEM = "kube-system"


def experiment(trial: Trial) -> dict[str, object]:
    """Count, ask, delete, count again; then stop all, replace the Pod and ask it directly."""
    name = trial.values["name"]
    proxies = trial.pods(trial.object("DaemonSet", "kube-proxy", SYSTEM))
    port = trial.object("Service", name).field("spec.ports").value[0]["nodePort"]
    addresses = [
        one["address"] for node in trial.cluster.list("Node", "") for one in node["status"]["addresses"]
        if one["type"] == "InternalIP"
    ]  # fmt: skip
    answered = sum(trial.request(f"http://{address}:{port}").code == 200 for address in addresses)
    trial.delete(proxies[0])
    trial.after(60)
    left = trial.pods(trial.object("DaemonSet", "kube-proxy", SYSTEM))
    trial.cluster.stop("kube-proxy")
    owner = trial.object("Deployment", name)
    trial.delete(trial.pods(owner)[0])
    trial.has_ready_pods(owner, 1)
    (pod,) = trial.pods(owner)
    direct = trial.request(f"http://{pod.field('status.podIP').value}")
    return {
        "proxies": len(proxies),
        "open": answered,
        "lost": len(proxies) - len(left),
        "direct": direct.code == 200,
    }
