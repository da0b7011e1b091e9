"""The rules of a node as ``iptables-save`` prints them: chains and rules that kube-proxy would have written.

Chains, their names and their order are those of pkg/proxy/iptables/proxier.go.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Final

from autograder.controlplane.containers.routing import Endpoint, Rules, ServicePort

POD_NETWORK: Final = "10.244.0.0/16"
_MARK: Final = "0x4000"

_FILTER_CHAINS: Final = (
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-FORWARD",
    "KUBE-NODEPORTS",
    "KUBE-PROXY-FIREWALL",
    "KUBE-SERVICES",
)
_NAT_CHAINS: Final = ("KUBE-MARK-MASQ", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-SERVICES")
_PORTALS: Final = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
_FILTER_FRAME: Final = (
    "-A INPUT -m conntrack --ctstate NEW -m comment --comment "
    '"kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL',
    '-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
    '-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" '
    "-j KUBE-EXTERNAL-SERVICES",
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    f"-A FORWARD -m conntrack --ctstate NEW {_PORTALS}",
    f"-A OUTPUT -m conntrack --ctstate NEW {_PORTALS}",
    "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
    f'-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark {_MARK}/{_MARK} -j ACCEPT',
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack '
    "--ctstate RELATED,ESTABLISHED -j ACCEPT",
)
_NAT_FRAME: Final = (
    f"-A PREROUTING {_PORTALS}",
    f"-A OUTPUT {_PORTALS}",
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    f"-A KUBE-MARK-MASQ -j MARK --set-xmark {_MARK}/{_MARK}",
    f"-A KUBE-POSTROUTING -m mark ! --mark {_MARK}/{_MARK} -j RETURN",
    f"-A KUBE-POSTROUTING -j MARK --set-xmark {_MARK}/0x0",
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
)
_NODE_PORTS: Final = (
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this '
    'chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'
)


def save(rules: Rules, node: str) -> str:
    """What ``iptables-save`` prints on a node."""
    ports = [rules.ports[key] for key in sorted(rules.ports)]
    nat = [rule for port in ports for rule in _nat(port, node)]
    # Rules stand by chain, each chain's in the order in which they were added.
    nat.sort(key=lambda rule: rule.split()[1])
    chains = sorted({rule.split()[1] for rule in nat} | set(_NAT_CHAINS))
    rejected = sorted((rule for port in ports for rule in _filter(port, node)), key=lambda rule: rule.split()[1])
    return "\n".join([
        "*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
        *(f":{chain} - [0:0]" for chain in _FILTER_CHAINS), *_FILTER_FRAME, *rejected, "COMMIT",
        "*nat", ":PREROUTING ACCEPT [0:0]", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
        ":POSTROUTING ACCEPT [0:0]", *(f":{chain} - [0:0]" for chain in chains), *_NAT_FRAME, *nat, _NODE_PORTS,
        "COMMIT", "",
    ])  # fmt: skip


def chain(prefix: str, port: ServicePort, endpoint: str = "") -> str:
    """The name of a chain: ``KUBE-SVC-`` and a hash of the port's title, its protocol and perhaps an endpoint."""
    digest = hashlib.sha256(f"{port.title}{port.protocol.lower()}{endpoint}".encode()).digest()
    return f"KUBE-{prefix}-" + base64.b32encode(digest).decode()[:16]


def _nat(port: ServicePort, node: str) -> Iterator[str]:
    cluster = port.usable(node, local=False)
    local = port.usable(node, local=True)
    if not cluster:
        return
    service, here = chain("SVC", port), chain("SVL", port)
    inside = here if port.internal_local else service
    protocol = port.protocol.lower()
    external = chain("EXT", port)
    if local or not port.internal_local:
        for address in port.cluster_ips:
            match = (
                f'-d {address}/32 -p {protocol} -m comment --comment "{port.title} cluster IP" '
                f"-m {protocol} --dport {port.port}"
            )
            yield f"-A KUBE-SERVICES {match} -j {inside}"
            yield f"-A {inside} ! -s {POD_NETWORK} {match} -j KUBE-MARK-MASQ"
    for address in port.external_ips:
        yield (f'-A KUBE-SERVICES -d {address}/32 -p {protocol} -m comment --comment "{port.title} external IP" '
               f"-m {protocol} --dport {port.port} -j {external}")  # fmt: skip
    if port.node_port:
        yield (f'-A KUBE-NODEPORTS -p {protocol} -m comment --comment "{port.title}" -m {protocol} '
               f"--dport {port.node_port} -j {external}")  # fmt: skip
    if port.node_port or port.external_ips:
        yield from _external(port, external, service, here, has_local=bool(local))
    if not port.internal_local or port.node_port or port.external_ips:
        yield from _balance(port, service, cluster)
    if port.internal_local or port.external_local:
        yield from _balance(port, here, local)
    for endpoint in cluster:
        yield from _endpoint(port, endpoint)


def _external(port: ServicePort, external: str, service: str, here: str, *, has_local: bool) -> Iterator[str]:
    """The chain for traffic from outside."""
    if not port.external_local:
        yield (f'-A {external} -m comment --comment "masquerade traffic for {port.title} external destinations" '
               "-j KUBE-MARK-MASQ")  # fmt: skip
        yield f"-A {external} -j {service}"
        return
    yield (
        f'-A {external} -s {POD_NETWORK} -m comment --comment "pod traffic for {port.title} external destinations" '
        f"-j {service}"
    )
    yield (f'-A {external} -m comment --comment "masquerade LOCAL traffic for {port.title} external destinations" '
           "-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ")  # fmt: skip
    yield (f'-A {external} -m comment --comment "route LOCAL traffic for {port.title} external destinations" '
           f"-m addrtype --src-type LOCAL -j {service}")  # fmt: skip
    if has_local:
        yield f"-A {external} -j {here}"


def _balance(port: ServicePort, name: str, endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    """The rules that pick an endpoint: the one a client had before, or any with equal chances."""
    for endpoint in endpoints if port.affinity else ():
        target = _separate(port, endpoint)
        yield (f"-A {name} {_arrow(port, endpoint)} -m recent --rcheck --seconds {port.affinity} --reap "
               f"--name {target} --mask 255.255.255.255 --rsource -j {target}")  # fmt: skip
    for index, endpoint in enumerate(endpoints):
        left = len(endpoints) - index
        chance = f"-m statistic --mode random --probability {1 / left:0.11f} " if left > 1 else ""
        yield f"-A {name} {_arrow(port, endpoint)} {chance}-j {_separate(port, endpoint)}"


def _endpoint(port: ServicePort, endpoint: Endpoint) -> Iterator[str]:
    name = _separate(port, endpoint)
    protocol = port.protocol.lower()
    yield f'-A {name} -s {endpoint.ip}/32 -m comment --comment "{port.title}" -j KUBE-MARK-MASQ'
    recent = f" -m recent --set --name {name} --mask 255.255.255.255 --rsource" if port.affinity else ""
    yield (f'-A {name} -p {protocol} -m comment --comment "{port.title}"{recent} -m {protocol} -j DNAT '
           f"--to-destination {endpoint.ip}:{endpoint.port}")  # fmt: skip


def _separate(port: ServicePort, endpoint: Endpoint) -> str:
    return chain("SEP", port, f"{endpoint.ip}:{endpoint.port}")


def _arrow(port: ServicePort, endpoint: Endpoint) -> str:
    return f'-m comment --comment "{port.title} -> {endpoint.ip}:{endpoint.port}"'


def _filter(port: ServicePort, node: str) -> Iterator[str]:
    """The rules that reject traffic to a service without endpoints, or drop it where a node has none of its own."""
    protocol = port.protocol.lower()
    if not port.usable(node, local=False):
        verdict, why = "REJECT --reject-with icmp-port-unreachable", "has no endpoints"
        inside = outside = True
    else:
        verdict, why = "DROP", "has no local endpoints"
        none_here = not port.usable(node, local=True)
        inside, outside = port.internal_local and none_here, port.external_local and none_here
    if inside:
        for address in port.cluster_ips:
            yield (f'-A KUBE-SERVICES -d {address}/32 -p {protocol} -m comment --comment "{port.title} {why}" '
                   f"-m {protocol} --dport {port.port} -j {verdict}")  # fmt: skip
    if outside and port.node_port:
        yield (f'-A KUBE-EXTERNAL-SERVICES -p {protocol} -m comment --comment "{port.title} {why}" '
               f"-m addrtype --dst-type LOCAL -m {protocol} --dport {port.node_port} -j {verdict}")  # fmt: skip
