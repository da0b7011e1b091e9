"""The pictures by their names, drawn from the student's cluster: it is asked with kubectl and through its control."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from autograder.manifests import parse, read_beginning
from autograder.notebook import answers, kubectl
from autograder.notebook.home import Home
from autograder.notebook.pictures import cluster, etcd, quota, rollout, scheduler, service, trace
from autograder.notebook.pictures.picture import Picture
from autograder.notebook.server import CannotDo, ClusterTrouble, StudentCluster


class Live:
    """The cluster of a home.  Its methods raise ``ClusterTrouble`` for what the cluster does not know or do."""

    def __init__(self, home: Home) -> None:
        self.work = home.work
        self.control = StudentCluster(home)
        self._home = home

    def get(self, *arguments: str) -> dict[str, Any]:
        """What ``kubectl get`` gives as JSON."""
        self.control.state()
        ran = kubectl.run(["get", *arguments, "-o", "json"], self._home)
        if ran.code:
            raise ClusterTrouble(ran.err.strip())
        return dict(json.loads(ran.out))

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a list, of all namespaces unless the arguments say otherwise."""
        return list(self.get(*(arguments if "-n" in arguments else (*arguments, "-A")))["items"])

    def writes(self, prefix: str = "/registry/") -> list[dict[str, Any]]:
        """What was written to the keys that begin so (see ``fronts.inspection``)."""
        return list(self.control.post("writes", prefix=prefix)["writes"])


class Kind(NamedTuple):
    """A kind of picture: what follows its name, what it shows, and how it is drawn."""

    argument: str
    shows: str
    draw: Callable[[Live, str, list[str]], Picture]


def _cluster(live: Live, _: str, where: list[str]) -> Picture:
    return cluster.draw(live.items("nodes"), live.items("pods", *where), live.items("replicasets", *where))


def _service(live: Live, name: str, where: list[str]) -> Picture:
    found = live.get("service", name, *where)
    namespace = found["metadata"]["namespace"]
    slices = live.items("endpointslices", "-n", namespace, "-l", f"kubernetes.io/service-name={name}")
    nodes = [node["metadata"] for node in live.items("nodes")]
    workers = [meta["name"] for meta in nodes if f"{cluster.ROLE}control-plane" not in meta.get("labels", {})]
    if not nodes:
        raise ClusterTrouble("this cluster has no node, so there are no rules")
    node = (workers or [nodes[0]["name"]])[0]
    try:
        saved = live.control.post("node", target=node, command="iptables-save -t nat")["stdout"]
    except CannotDo:
        print("The rules on the nodes cannot be seen in this cluster; the picture is without them.")
        saved = ""
    return service.draw(found, slices, node, saved)


def _quota(live: Live, name: str, where: list[str]) -> Picture:
    return quota.draw(live.get("resourcequota", name, *where))


def _rollout(live: Live, name: str, where: list[str]) -> Picture:
    found = live.get("deployment", name.removeprefix("deployment/"), *where)
    namespace = found["metadata"]["namespace"]
    try:
        writes = live.writes(f"/registry/replicasets/{namespace}/")
    except CannotDo:
        print("What was before is not kept in this cluster; the picture shows how it is now.")
        now = live.control.state()["now"]
        writes = [{"time": now, "value": each} for each in live.items("replicasets", "-n", namespace)]
    return rollout.draw(found, writes)


def _scheduler(live: Live, name: str, where: list[str]) -> Picture:
    meta = live.get("pod", name, *where)["metadata"]
    return scheduler.draw(live.control.post("decision", namespace=meta["namespace"], target=meta["name"]))


def _etcd(live: Live, _: str, where: list[str]) -> Picture:
    return etcd.draw(live.writes())


def _trace(live: Live, name: str, where: list[str]) -> Picture:
    path = live.work / answers.plain_name(name)
    if not path.is_file():
        raise ClusterTrouble(f"there is no file {name}; %%manifest {name} makes one")
    documents = parse(read_beginning(path), source=name).documents
    if not documents:
        raise ClusterTrouble(f"no object can be read in {name}")
    return trace.draw(live.control.post("trace", manifest=documents[0].value))


#: The pictures by the names that ``%picture`` knows.
KINDS: Final = {
    "cluster": Kind("", "the nodes, the Pods on them, and who owns these", _cluster),
    "service": Kind("NAME", "a Service, its rules on a node, and its endpoints", _service),
    "quota": Kind("NAME", "how full a ResourceQuota is", _quota),
    "rollout": Kind("NAME", "the Pods of each version of a Deployment over time", _rollout),
    "scheduler": Kind("POD", "the scheduler's table of nodes by plugins for a Pod", _scheduler),
    "etcd": Kind("", "which keys your last request changed, and what followed", _etcd),
    "trace": Kind("FILE.yaml", "the way of a request through the API server, tried on a copy of the cluster", _trace),
}
