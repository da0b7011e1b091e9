"""What still works while a component of the control plane or of the nodes is stopped, as experiments and a table.

Run as a program it writes the table to ``docs/component-off.md``; the tests hold both to what really happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab import BUSYBOX, Lab, condition, container, manifest, pod, service, workload

from autograder.clusters import Object
from autograder.controlplane.apimachinery.errors import StatusError

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "component-off.md"
#: How long a component is away, in seconds; what works shows within that time.
AWAY: Final = 100
COMPONENTS: Final = (
    "kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns",
)  # fmt: skip
#: Seconds between two requests of a client.
PAUSE: Final = 4
#: Seconds that kubelets get to report what has happened while nobody listened.
REPORTING: Final = 15
#: What marks the moment in which a component came back.
BACK: Final = "back"
ADDRESS, NEW_ADDRESS = "10.96.77.7", "10.96.77.8"


@dataclass(frozen=True, slots=True)
class Experiment:
    """Something a cluster does.  ``act`` is done once the component is gone, and what it does shows by ``works``.

    ``needs`` are the components without which it does not work.
    """

    what: str
    needs: frozenset[str]
    act: Callable[[Lab], object]
    works: Callable[[Lab], bool]


def surroundings(lab: Lab) -> None:
    """A web server with a Service, clients that ask it every few seconds, a container that ends now and then."""
    lab.create(workload("Deployment", replicas=2))
    lab.create(service(clusterIP=ADDRESS))
    for name, target in (("by-address", ADDRESS), ("by-name", "web"), ("new-address", NEW_ADDRESS)):
        script = f"while true; do wget -q -T 1 -O /dev/null http://{target}/ && echo ok; sleep {PAUSE}; done"
        lab.create(pod(name, container(BUSYBOX, script), terminationGracePeriodSeconds=1))
    lab.create(pod("fainting", container(BUSYBOX, "sleep 60; exit 1")))
    lab.runs(2, app="web")
    for name in ("by-address", "by-name", "new-address", "fainting"):
        lab.runs(1, app=name)
    for name in lab.names("Pod", app="web"):
        lab.patch("Pod", name, {"metadata": {"labels": {"age": "old"}}})


def answers(lab: Lab, name: str) -> int:
    """How often a client has been answered so far."""
    return lab.cluster.logs(name).count("ok")


def is_answered(name: str) -> Callable[[Lab], bool]:
    """Whether a client has been answered all the time."""
    return lambda lab: answers(lab, name) > AWAY / PAUSE * 0.7


def is_running(obj: Object) -> bool:
    """Whether a Pod has run since it was first started."""
    return obj["status"]["phase"] == "Running" and obj["status"]["containerStatuses"][0]["restartCount"] == 0


def was_started_again(lab: Lab) -> bool:
    """Whether the fainting container was started anew before the component came back."""
    status = lab.status("Pod", "fainting")["containerStatuses"][0]
    if not status["restartCount"] or "running" not in status["state"]:
        return False
    back = lab.objects("ConfigMap", moment=BACK)
    return not back or status["state"]["running"]["startedAt"] < back[0]["metadata"]["creationTimestamp"]


def new_service() -> Object:
    return service("new", clusterIP=NEW_ADDRESS, selector={"app": "web"})


def slices(lab: Lab, name: str) -> list[Object]:
    return lab.objects("EndpointSlice", **{"kubernetes.io/service-name": name})


def nothing(lab: Lab) -> None:
    """Whatever it is, it goes on by itself."""


def names(*components: str) -> frozenset[str]:
    return frozenset(components)


API: Final = names("kube-apiserver", "etcd")

EXPERIMENTS: Final = (
    Experiment(
        "objects can be read and written", API,
        lambda lab: lab.create(manifest("v1", "ConfigMap", "new")),
        lambda lab: not lab.is_gone("ConfigMap", "new"),
    ),
    Experiment(
        "Pods that run go on running", names(), nothing,
        lambda lab: [is_running(one) for one in lab.pods(app="web")] == [True, True],
    ),
    Experiment("a container that ends is started again", names("kubelet"), nothing, was_started_again),
    Experiment(
        "a new Pod is given a node", API | {"kube-scheduler"},
        lambda lab: lab.create(pod("new")), lambda lab: bool(lab.node_of("new")),
    ),
    Experiment(
        "a new Pod that names its node is started", API | {"kubelet"},
        lambda lab: lab.create(pod("new", nodeName="worker-1")), lambda lab: lab.phase("new") == "Running",
    ),
    Experiment(
        "a new Deployment gets its Pods", API | {"kube-controller-manager"},
        lambda lab: lab.create(workload("Deployment", "new", 2)), lambda lab: len(lab.pods(app="new")) == 2,
    ),
    Experiment(
        "a lost Pod is replaced by one that runs", API | {"kube-controller-manager", "kube-scheduler", "kubelet"},
        lambda lab: lab.cluster.delete("Pod", lab.names("Pod", app="web")[0], grace_period=0),
        lambda lab: len(lab.ready(app="web")) == 2 and len(lab.ready(app="web", age="old")) == 1,
    ),
    Experiment(
        "Pods of a Deployment that is deleted go", API | {"kube-controller-manager", "kubelet"},
        lambda lab: lab.cluster.delete("Deployment", "web"), lambda lab: not lab.names("Pod", app="web"),
    ),
    Experiment(
        "a new Service gets endpoints", API | {"kube-controller-manager"},
        lambda lab: lab.create(new_service()), lambda lab: any(one.get("endpoints") for one in slices(lab, "new")),
    ),
    Experiment(
        "a new Service is reached by its address", API | {"kube-controller-manager", "kube-proxy", "kubelet"},
        lambda lab: lab.create(new_service()), is_answered("new-address"),
    ),
    Experiment(  # Pods of nodes that fall silent count as not ready after a minute, and then no Service leads to them
        "a Service that was there is reached by its address", names("kubelet"), nothing, is_answered("by-address"),
    ),
    Experiment(
        "a Service that was there is reached by its name", names("kubelet", "coredns"), nothing, is_answered("by-name"),
    ),
    Experiment(
        "nodes stay Ready", names("kubelet"), nothing,
        lambda lab: {condition(node, "Ready") for node in lab.cluster.list("Node")} == {"True"},
    ),
)  # fmt: skip


def works_without(lab: Lab, component: str, experiment: Experiment) -> bool:
    """Whether it works while the component is stopped; every cluster begins with ``surroundings``.

    It is looked at before the component comes back or, where then nobody can be asked, just after.
    """
    lab.cluster.stop(component)
    try:
        experiment.act(lab)
    except StatusError:
        return False
    lab.cluster.advance(AWAY)
    try:
        return experiment.works(lab)
    except StatusError:
        lab.cluster.start(component)
        lab.create({**manifest("v1", "ConfigMap", BACK), "metadata": {"name": BACK, "labels": {"moment": BACK}}})
    lab.cluster.advance(REPORTING)
    try:
        return experiment.works(lab)
    except StatusError:
        return False


def document() -> str:
    """The table as Markdown."""
    lines = [
        "# What works while a component is stopped",
        "",
        f"Each cell is an experiment: the component is stopped for {AWAY} seconds in a cluster where everything runs.",
        "Written by `python tests/behaviour/component_off.py`; `tests/behaviour/test_component_off.py` does every one.",
        "",
        "| | " + " | ".join(COMPONENTS) + " |",
        "| --- |" + " --- |" * len(COMPONENTS),
    ]
    for experiment in EXPERIMENTS:
        cells = ["no" if component in experiment.needs else "yes" for component in COMPONENTS]
        lines.append(f"| {experiment.what} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "What runs needs no control plane, only changes do: what was wished for meanwhile is done when it is back.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
