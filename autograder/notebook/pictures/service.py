"""A Service, the rules that kube-proxy made for it on a node, and the endpoints to which they lead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import BLUE, GREEN, GREY, ORANGE, Drawing

_PORTAL: Final = re.compile(r'-A KUBE-SERVICES .*--comment "([^" ]+) cluster IP" .*-j (KUBE-SVC-\w+)')
_BALANCE: Final = re.compile(r"-A (KUBE-SVC-\w+) (?:.*--probability ([\d.]+) )?.*-j (KUBE-SEP-\w+)")
_TARGET: Final = re.compile(r"-A (KUBE-SEP-\w+) .*--to-destination (\S+)")
_ROW: Final = 50
_SERVICE: Final = 270
_RULE: Final = 190
_ENDPOINT: Final = 230
_GAP: Final = 60


class Rule(NamedTuple):
    """One rule: the chain of a Service's port, the share of connections that it takes, and where it leads."""

    port: str
    chain: str
    share: float
    target: str


class Endpoint(NamedTuple):
    """An address behind a Service; ``ready`` says whether connections are led there."""

    address: str
    pod: str
    node: str
    ready: bool


def draw(service: dict[str, Any], slices: Iterable[Mapping[str, Any]], node: str, saved: str) -> Picture:
    """``saved`` is what ``iptables-save`` prints on ``node``."""
    meta, spec = service["metadata"], service["spec"]
    name = f"{meta['namespace']}/{meta['name']}"
    behind, found = sorted(endpoints(slices)), [rule for rule in rules(saved) if _is_for(rule, name)]
    title = f"Service {name}"
    about = [f"type {spec.get('type', 'ClusterIP')}, at {spec.get('clusterIP', 'no address')}"]
    about += [_port(port) for port in spec.get("ports", ())]
    chooses = ", ".join(f"{key}={value}" for key, value in spec.get("selector", {}).items())
    about += [f"selects {chooses or 'no Pods'}"]
    lines = list(about)
    drawing = Drawing()
    drawing.box(1, 1, _SERVICE, 40 + 18 * len(about), BLUE)
    drawing.text(11, 22, name, size=14, bold=True, width=_SERVICE - 20)
    for number, words in enumerate(about):
        drawing.text(11, 44 + 18 * number, words, width=_SERVICE - 20)
    at = {each.address: 1.0 + number * _ROW for number, each in enumerate(behind)}
    for number, rule in enumerate(found):
        y, x = 1.0 + number * _ROW, 1 + _SERVICE + _GAP
        drawing.arrow(1 + _SERVICE, 30, x, y + 20, ORANGE)
        drawing.box(x, y, _RULE, 40, ORANGE)
        drawing.text(x + 8, y + 16, rule.chain, size=11, mono=True, width=_RULE - 14)
        drawing.text(x + 8, y + 33, f"{rule.share:.0%} to {rule.target}", size=11, width=_RULE - 14)
        if rule.target in at:
            drawing.arrow(x + _RULE, y + 20, x + _RULE + _GAP, at[rule.target] + 20, GREEN)
        lines.append(f"rule on {node}: {rule.chain} leads {rule.share:.0%} of the connections to {rule.target}")
    for each in behind:
        _endpoint(drawing, each, at[each.address])
        state = "ready" if each.ready else "not ready"
        lines.append(f"endpoint {each.address}: {each.pod} on {each.node}, {state}")
    if not behind:
        drawing.text(1 + _SERVICE + _GAP, 24, "no endpoints: this Service leads nowhere", bold=True)
        lines.append("no endpoints: this Service leads nowhere")
    foot = 16.0 + max(40 + 18 * len(about), _ROW * max(len(found), len(behind)))
    drawing.text(1, foot, f"blue: the Service; orange: the rules on {node}; green: endpoints", size=11, faint=True)
    return Picture(title, tuple(lines), drawing)


def endpoints(slices: Iterable[Mapping[str, Any]]) -> Iterator[Endpoint]:
    """The addresses in EndpointSlices, with their ports."""
    for part in slices:
        for each in part.get("endpoints") or ():
            for port in part.get("ports") or ():
                yield Endpoint(
                    f"{each['addresses'][0]}:{port.get('port')}", each.get("targetRef", {}).get("name", "no Pod"),
                    each.get("nodeName", "no node"), each.get("conditions", {}).get("ready") is not False,
                )  # fmt: skip


def rules(saved: str) -> Iterator[Rule]:
    """The rules that balance connections, from what ``iptables-save`` prints.

    A rule takes its probability of what the rules before it have left, so the share of all connections is less.
    """
    ports = {chain: port for port, chain in _PORTAL.findall(saved)}
    targets = dict(_TARGET.findall(saved))
    left: dict[str, float] = {}
    for chain, probability, endpoint in _BALANCE.findall(saved):
        rest = left.get(chain, 1.0)
        share = rest * float(probability or 1)
        left[chain] = rest - share
        if chain in ports and endpoint in targets:
            yield Rule(ports[chain], chain, share, targets[endpoint])


def _endpoint(drawing: Drawing, each: Endpoint, y: float) -> None:
    x = 1 + _SERVICE + _GAP + _RULE + _GAP
    drawing.box(x, y, _ENDPOINT, 40, GREEN if each.ready else GREY, dashed=not each.ready)
    drawing.text(x + 8, y + 16, each.pod, bold=True, width=_ENDPOINT - 14)
    state = "" if each.ready else ", not ready"
    drawing.text(x + 8, y + 33, f"{each.address} on {each.node}{state}", size=11, width=_ENDPOINT - 14)


def _is_for(rule: Rule, name: str) -> bool:
    return rule.port == name or rule.port.startswith(f"{name}:")


def _port(port: Mapping[str, Any]) -> str:
    outside = f", node port {port['nodePort']}" if port.get("nodePort") else ""
    return f"port {port['port']} → {port.get('targetPort', port['port'])}{outside}"
