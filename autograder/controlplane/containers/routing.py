"""The network as the kernels of the machines run it: the rules that kube-proxy wrote, and connections that follow them.

Rules are data and the same on every node.  A connection goes: name -> address -> service rule -> pod -> listener.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import network_policy
from autograder.controlplane.containers.network import Answer, HttpRequest, Refused, Source, TimedOut
from autograder.controlplane.containers.network_policy import Peer
from autograder.controlplane.containers.records import Container, Listener, Sandbox
from autograder.controlplane.containers.servers import Site, respond

if TYPE_CHECKING:
    from autograder.controlplane.containers.machines import Machines

DNS_SERVICE: Final = ("kube-system", "kube-dns")
DNS_PROGRAM: Final = "coredns"
_URL: Final = re.compile(r"(?:(\w+)://)?([^/:?#]+)(?::(\d{1,5}))?([/?].*)?")
_PORTS: Final = {"http": 80, "https": 443, "tcp": 0}


class Endpoint(NamedTuple):
    """A pod (or something else) behind a service."""

    ip: str
    port: int
    node: str
    ready: bool
    serving: bool
    terminating: bool


class ServicePort(NamedTuple):
    """One port of a service, as rules know it.  ``affinity`` is in seconds, 0 for none."""

    namespace: str
    name: str
    port_name: str
    protocol: str
    port: int
    cluster_ips: tuple[str, ...]
    external_ips: tuple[str, ...]
    node_port: int
    affinity: int
    internal_local: bool
    external_local: bool
    endpoints: tuple[Endpoint, ...]

    @property
    def title(self) -> str:
        """``default/web:http``, or without the port's name if it has none."""
        return f"{self.namespace}/{self.name}" + (f":{self.port_name}" if self.port_name else "")

    def usable(self, node: str, *, local: bool) -> tuple[Endpoint, ...]:
        """The endpoints for traffic on a node: ready ones, or else those that still serve while they terminate."""
        here = [endpoint for endpoint in self.endpoints if not local or endpoint.node == node]
        ready = tuple(endpoint for endpoint in here if endpoint.ready)
        return ready or tuple(endpoint for endpoint in here if endpoint.serving and endpoint.terminating)


class Rules(NamedTuple):
    """All service rules: by address and port, and by node port."""

    ports: Mapping[tuple[str, str, str], ServicePort] = {}
    by_address: Mapping[tuple[str, int], ServicePort] = {}
    by_node_port: Mapping[int, ServicePort] = {}


class Backend(NamedTuple):
    """Where a connection ends."""

    ip: str
    port: int


class Wire:
    """Connections between the machines.  It remembers which client goes to which endpoint (session affinity)."""

    def __init__(self, machines: Machines, seed: int) -> None:
        self._machines = machines
        self._seed = seed
        self._connections = 0
        self._affinity: dict[tuple[str, str], tuple[Endpoint, int]] = {}

    def fork(self, machines: Machines) -> Wire:
        """The same network for a fork of the cluster."""
        twin = Wire(machines, self._seed)
        twin._connections, twin._affinity = self._connections, self._affinity.copy()
        return twin

    def request(
        self, source: Source, url: str, resolver: Callable[[str], list[str]], *,
        headers: Mapping[str, str] | None = None, method: str = "GET",
    ) -> Answer:  # fmt: skip
        """Send one HTTP request (or, with ``tcp://``, only connect); raises ``NetworkError``."""
        match = _URL.fullmatch(url)
        if match is None:
            raise Refused
        scheme, host, port = match[1] or "http", match[2], int(match[3] or _PORTS.get(match[1] or "http", 80))
        addresses = resolver(host)[1:]
        backend = self.route(source, addresses[self._connections % len(addresses)], port)
        site = self._site(source, backend)
        if site is None or scheme == "tcp":
            if site is None:
                raise Refused
            return Answer(200, "")
        fields = {name.lower(): value for name, value in (headers or {}).items()}
        source_port = 32768 + self._connections % 28232
        request = HttpRequest(
            method, fields.get("host", host), match[4] or "/", tuple(fields.items()), source.ip, source_port
        )
        answer = respond(site, request)
        if answer is None:
            raise Refused
        if site.listener.kind == "nginx":
            self._log_access(site, request, answer, fields.get("user-agent", "-"))
        return answer

    def route(self, source: Source, ip: str, port: int) -> Backend:
        """Where a connection to an address really goes; raises ``Refused`` or ``TimedOut``."""
        self._connections += 1
        machines = self._machines
        service = machines.rules.by_address.get((ip, port))
        if service is not None:
            outside = ip in service.external_ips
            return self._balance(source, service, source.host, local=_local(service, source, outside=outside))
        node = machines.hosts.get(machines.host_at.get(ip, ""))
        if node is not None:
            if not node.powered:
                raise TimedOut
            service = machines.rules.by_node_port.get(port)
            if service is not None:
                return self._balance(source, service, node.name, local=_local(service, source, outside=True))
            return self._host_port(node.name, port) or Backend(ip, port)
        return Backend(ip, port)

    def _host_port(self, node: str, port: int) -> Backend | None:
        """Where a port of a node leads that a pod there has asked for (``hostPort``)."""
        for sandbox in self._machines.sandboxes.values():
            if sandbox.host == node and sandbox.ready and not sandbox.host_network:
                for one in sandbox.ports:
                    if one.host_port == port:
                        return Backend(sandbox.ip, one.number)
        return None

    def name_server_answers(self, sandbox: Sandbox) -> bool:
        """Whether a pod reaches a name server: through the service ``kube-dns``, where the cluster has one."""
        machines = self._machines
        if DNS_PROGRAM in machines.silent:
            return False
        record = machines.zone.services.get(DNS_SERVICE)
        if record is None:
            return True
        rule = machines.rules.by_address.get((record.addresses[0], 53)) if record.addresses else None
        if rule is None:
            return False
        source = Source(sandbox.ip, sandbox.host, sandbox.pod_uid)
        return any(self._reaches(source, endpoint) for endpoint in rule.usable(sandbox.host, local=False))

    def _reaches(self, source: Source, endpoint: Endpoint) -> bool:
        uid = self._machines.addresses.owners.get(endpoint.ip, "")
        sandbox = self._machines.sandboxes.get(uid)
        if sandbox is None or not sandbox.ready:
            return False
        return self._allows(source, Backend(endpoint.ip, endpoint.port), "UDP")

    def _allows(self, source: Source, backend: Backend, protocol: str = "TCP") -> bool:
        """Whether NetworkPolicies let a connection pass."""
        machines = self._machines
        if not machines.policies.by_namespace:
            return True
        target = self._peer(backend.ip, machines.addresses.owners.get(backend.ip, ""))
        if target.pod is not None and not source.pod_uid and source.host == target.pod.host:
            # A node always reaches its own pods, or its kubelet could not probe them.
            return True
        origin = self._peer(source.ip, source.pod_uid)
        return network_policy.allows(machines.policies, origin, target, backend.port, protocol)

    def _peer(self, ip: str, uid: str) -> Peer:
        sandbox = self._machines.sandboxes.get(uid)
        return Peer(ip, None if sandbox is None or sandbox.host_network else sandbox)

    def _balance(self, source: Source, service: ServicePort, node: str, *, local: bool) -> Backend:
        if not service.usable(node, local=False):
            raise Refused
        usable = service.usable(node, local=local)
        if not usable:
            # Rules drop, and do not reject, what may only go to endpoints that other nodes have.
            raise TimedOut
        now = self._machines.clock.now
        key = (service.title, source.ip)
        if service.affinity:
            stuck = self._affinity.get(key)
            if stuck and stuck[0] in usable and now - stuck[1] < service.affinity * SECOND:
                self._affinity[key] = (stuck[0], now)
                return Backend(stuck[0].ip, stuck[0].port)
        chosen = random.Random(f"{self._seed}/{self._connections}").choice(usable)
        if service.affinity:
            self._affinity[key] = (chosen, now)
        return Backend(chosen.ip, chosen.port)

    def _site(self, source: Source, backend: Backend) -> Site | None:
        """The listener at an address; None when nothing listens on the port; raises ``TimedOut``."""
        machines = self._machines
        if backend.ip != "127.0.0.1" and not self._allows(source, backend):
            raise TimedOut
        if backend.ip == "127.0.0.1":
            own = machines.sandboxes.get(source.pod_uid)
            uids = self._on_host(source.host) if own is None or own.host_network else [source.pod_uid]
        elif backend.ip in machines.addresses.owners:
            uids = [machines.addresses.owners[backend.ip]]
        else:
            node = machines.hosts.get(machines.host_at.get(backend.ip, ""))
            if node is None or not node.powered:
                raise TimedOut
            uids = self._on_host(node.name)
        for uid in uids:
            sandbox = machines.sandboxes[uid]
            for container, listener in machines.listeners(uid):
                if listener.port == backend.port and container.argv[0].rpartition("/")[2] not in machines.silent:
                    return self._site_of(container, listener, sandbox)
        return None

    def _on_host(self, node: str) -> list[str]:
        """The pods that share the network of a host."""
        sandboxes = self._machines.sandboxes.values()
        return [sandbox.pod_uid for sandbox in sandboxes if sandbox.host_network and sandbox.host == node]

    def _site_of(self, container: Container, listener: Listener, sandbox: Sandbox) -> Site:
        return Site(container, listener, self._machines.files(container.id), sandbox.ip)

    def _log_access(self, site: Site, request: HttpRequest, answer: Answer, agent: str) -> None:
        """The line that nginx writes of each request."""
        day = timestamps.time(self._machines.clock.now)
        months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
        when = f"{day[8:10]}/{months[int(day[5:7]) - 1]}/{day[:4]}:{day[11:19]} +0000"
        line = f'{request.source_ip} - - [{when}] "{request.method} {request.path} HTTP/1.1" {answer.status} '
        self._machines.write_log(site.container.id, "stdout", f'{line}{len(answer.body)} "-" "{agent}" "-"\n')


def _local(service: ServicePort, source: Source, *, outside: bool) -> bool:
    """Whether only endpoints on the node may be used: a policy of ``Local``, as it counts for where traffic is from."""
    if outside:
        # Traffic of the cluster's own pods to an external address is not external.
        return service.external_local and not source.pod_uid
    return service.internal_local
