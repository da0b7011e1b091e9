"""What is done on the node containers of a kind cluster: components stopped and started, power cut and given back.

A static Pod is stopped by moving its manifest into a folder beside the one that the kubelet reads, so that what was
stopped can be read off the node.  The kubelet is stopped by systemctl, kube-proxy by a node selector that fits no node,
CoreDNS by scaling it to nothing, a node by killing its container: all of it shows in the cluster itself.  A run that
stops something holds a lock; who opens the cluster while nobody holds it puts everything back first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import IO, Final

from autograder.clusters.interface import ClusterError
from autograder.clusters.kind.engine import COMMAND_SECONDS, EngineError, Tools
from autograder.clusters.kind.provision import kept
from autograder.clusters.owned import REAL_CAPABILITIES
from autograder.clusters.scratch import locked

MANIFESTS: Final = "/etc/kubernetes/manifests"
#: Where manifests wait whose component is stopped.
ASIDE: Final = "/etc/kubernetes/autograder-stopped"
STATIC: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
#: Without one of them the API does not answer.
_API: Final = frozenset({"etcd", "kube-apiserver"})
KUBELET, PROXY, DNS = "kubelet", "kube-proxy", "coredns"
COMPONENTS: Final = (*STATIC, KUBELET, PROXY, DNS)
_KUBELET_HEALTH: Final = "http://127.0.0.1:10248/healthz"
#: Seconds for a component to end, and to be there again.
PATIENCE: Final = 120.0
_LOOK_AGAIN: Final = 0.5
#: Seconds that what was started gets before it is started anew.
_START_AGAIN: Final = 40.0
#: The selector that no node fulfils.
_NOWHERE: Final = "autograder-stopped"
_REPLICAS: Final = 2
_OF_DNS: Final = "k8s-app=kube-dns"
_KUBECTL: Final = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "-n", "kube-system")


class KindPowers:
    """Power over a kind cluster; ``nodes`` are its containers, the control plane first.

    ``container_of`` gives the container of a node by the name that exercises know.
    """

    name = "kind"
    capabilities = REAL_CAPABILITIES

    def __init__(
        self, tools: Tools, name: str, nodes: Sequence[str], container_of: Callable[[str], str], *,
        patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self._tools = tools
        self._nodes = list(nodes)
        self._container_of = container_of
        self._patience = patience
        self._path = kept(name, "stopped")
        self._lock: IO[bytes] | None = None

    @property
    def control_plane(self) -> str:
        """The container of the control plane."""
        return self._nodes[0]

    def restore(self) -> None:
        """Put back what a run that was cut off has stopped.

        Raises ``ClusterError`` while another run stops parts on purpose: what is judged without them is judged wrongly.
        """
        self._until(self._has_lock, "another run has started again what it had stopped in this kind cluster")
        lock, self._lock = self._lock, None
        assert lock is not None
        with lock:
            for node in self._nodes:
                if self._tools.run_engine("inspect", "-f", "{{.State.Running}}", node).strip() != "true":
                    self._tools.run_engine("start", node)
            for node in self._nodes:
                self._shell(
                    node, f"test ! -f {ASIDE}/{KUBELET} || {{ systemctl start {KUBELET}; rm {ASIDE}/{KUBELET}; }}"
                )
            for component in STATIC:
                self._shell(self.control_plane, f"test ! -f {self._aside(component)} || {self._back(component)}")
            self._recover()
            self._start_on_api(PROXY)
            self._start_on_api(DNS, only_if_stopped=True)
            self._spread_dns()

    def stop(self, component: str) -> None:
        self._begin()
        if component in STATIC:
            self._shell(
                self.control_plane, f"mkdir -p {ASIDE} && mv {MANIFESTS}/{component}.yaml {self._aside(component)}"
            )
            self._until(lambda: not self._runs(component), f"{component} has ended")
        elif component == KUBELET:
            for node in self._nodes:
                self._shell(node, f"mkdir -p {ASIDE} && touch {ASIDE}/{KUBELET} && systemctl stop {KUBELET}")
        elif component in (PROXY, DNS):
            self._stop_on_api(component)
        else:
            raise ValueError(f"no component is called {component}; there are {', '.join(COMPONENTS)}")

    def start(self, component: str) -> None:
        if component in STATIC:
            before = self._renewed(component)
            self._shell(self.control_plane, f"test ! -f {self._aside(component)} || {self._back(component)}")
            self._until(lambda: self._runs(component), f"{component} runs")
            if component in _API:
                self._recover()
            elif _API.issubset(self._wanted()):
                self._until(lambda: self._renewed(component) not in ("", before), f"{component} leads")
        elif component == KUBELET:
            for node in self._nodes:
                self._shell(node, f"systemctl start {KUBELET} && rm -f {ASIDE}/{KUBELET}")
        elif component in (PROXY, DNS):
            self._start_on_api(component)
        else:
            raise ValueError(f"no component is called {component}; there are {', '.join(COMPONENTS)}")

    def power_off(self, node: str) -> None:
        self._begin()
        self._tools.run_engine("kill", self._container(node))

    def power_on(self, node: str) -> None:
        container = self._container(node)
        self._tools.run_engine("start", container)
        look = f"test -f {ASIDE}/{KUBELET} || curl --silent --fail {_KUBELET_HEALTH}"
        self._until(lambda: self._succeeds(container, look), f"the kubelet of {node} answers")

    def command(self, node: str, *words: str) -> str:
        """What a command prints on a node, such as ``ps aux`` or ``systemctl status kubelet``."""
        return self._tools.on_node(self._container(node), *words)

    def check(self) -> None:
        """Nothing of a kind cluster lives in this process; that it is gone shows when it is asked."""

    def close(self) -> None:
        """The cluster stays; what it was told to stop has been started by whoever did."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _begin(self) -> None:
        """Tell other runs that something is stopped on purpose."""
        if not self._has_lock():
            raise ClusterError("another run has stopped parts of this kind cluster; wait until it has ended")

    def _has_lock(self) -> bool:
        if self._lock is None:
            self._lock = locked(self._path)
        return self._lock is not None

    def _container(self, node: str) -> str:
        container = self._container_of(node)
        if container not in self._nodes:
            raise ValueError(f"there is no node {node}")
        return container

    def _shell(self, node: str, script: str) -> str:
        return self._tools.on_node(node, "sh", "-c", script)

    def _aside(self, component: str) -> str:
        return f"{ASIDE}/{component}.yaml"

    def _back(self, component: str) -> str:
        return f"mv {self._aside(component)} {MANIFESTS}/{component}.yaml"

    def _runs(self, component: str) -> bool:
        listed = self._tools.on_node(
            self.control_plane, "crictl", "ps", "--state", "Running", "--name", component, "-q"
        )
        return bool(listed.strip())

    def _recover(self) -> None:
        """Wait for the API server, and for what has ended because it had lost etcd or the API server.

        The kubelet waits longer each time before it starts them again, in the end five minutes; a new kubelet does not.
        """
        next_start = time.monotonic()

        def is_whole() -> bool:
            nonlocal next_start
            wanted = self._wanted()
            ended = [one for one in wanted if not self._runs(one)]
            if ended and time.monotonic() >= next_start:
                self._shell(self.control_plane, f"test -f {ASIDE}/{KUBELET} || systemctl restart {KUBELET}")
                next_start = time.monotonic() + _START_AGAIN
            return not ended and (not _API.issubset(wanted) or self._api_answers())

        self._until(is_whole, "the API server answers, and all components run")

    def _wanted(self) -> list[str]:
        """The static Pods that are to run: those that nobody has stopped."""
        manifests = self._shell(self.control_plane, f"ls {MANIFESTS}").split()
        return [one for one in STATIC if f"{one}.yaml" in manifests]

    def _api_answers(self) -> bool:
        return self._succeeds(self.control_plane, f"{' '.join(_KUBECTL)} get --raw /readyz")

    def _renewed(self, component: str) -> str:
        """When a component has last said that it leads, which it is to do before it works; empty if that is not known.

        A lease is waited out even by who comes back, a quarter of a minute.
        """
        try:
            return self._tools.on_node(
                self.control_plane, *_KUBECTL, "get", "lease", component, "-o", "jsonpath={.spec.renewTime}",
                "--request-timeout=5s",
            )  # fmt: skip
        except EngineError:
            return ""

    def _succeeds(self, node: str, script: str) -> bool:
        try:
            self._shell(node, script)
        except EngineError:
            return False
        return True

    def _stop_on_api(self, component: str) -> None:
        if component == PROXY:
            self._patch_proxy(f'"{_NOWHERE}"')
            selector = "k8s-app=kube-proxy"
        else:
            self._tools.on_node(self.control_plane, *_KUBECTL, "scale", "deployment", DNS, "--replicas=0")
            selector = _OF_DNS
        self._until(lambda: not self._pods(selector), f"{component} has ended")

    def _start_on_api(self, component: str, *, only_if_stopped: bool = False) -> None:
        if component == PROXY:
            self._patch_proxy("null")
            self._roll_out("daemonset", PROXY)
            return
        replicas = self._tools.on_node(
            self.control_plane, *_KUBECTL, "get", "deployment", DNS, "-o", "jsonpath={.spec.replicas}"
        )
        if not only_if_stopped or replicas.strip() == "0":
            self._tools.on_node(self.control_plane, *_KUBECTL, "scale", "deployment", DNS, f"--replicas={_REPLICAS}")
        self._roll_out("deployment", DNS)

    def _spread_dns(self) -> None:
        """Let CoreDNS survive the loss of a node: its Pods may all have gone to the one that was ready first."""
        nodes = self._tools.on_node(
            self.control_plane, *_KUBECTL, "get", "pods", "-l", _OF_DNS, "-o", "jsonpath={.items[*].spec.nodeName}"
        ).split()
        if len(nodes) > 1 and len(set(nodes)) == 1:
            self._tools.on_node(self.control_plane, *_KUBECTL, "rollout", "restart", "deployment", DNS)
            self._roll_out("deployment", DNS)

    def _roll_out(self, kind: str, name: str) -> None:
        """Wait until all Pods of a component are ready: before that there may be none of them to look at."""
        limit = f"--timeout={self._patience:g}s"
        self._tools.on_node(
            self.control_plane,
            *_KUBECTL,
            "rollout",
            "status",
            kind,
            name,
            limit,
            seconds=self._patience + COMMAND_SECONDS,
        )

    def _patch_proxy(self, value: str) -> None:
        patch = f'{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"{_NOWHERE}":{value}}}}}}}}}}}'
        self._tools.on_node(self.control_plane, *_KUBECTL, "patch", "daemonset", PROXY, "-p", patch)

    def _pods(self, selector: str) -> list[str]:
        return self._tools.on_node(self.control_plane, *_KUBECTL, "get", "pods", "-l", selector, "-o", "name").split()

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + self._patience
        while not holds():
            if time.monotonic() > end:
                raise ClusterError(f"not within {self._patience:g} seconds: {what}")
            time.sleep(_LOOK_AGAIN)
