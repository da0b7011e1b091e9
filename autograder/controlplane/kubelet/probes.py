"""Probes: how the kubelet asks a container whether it has started, is ready, is alive.

When a probe runs and what its results mean follows pkg/kubelet/prober; texts are those of its events.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.network import NetworkError, Refused, Source, TimedOut
from autograder.controlplane.containers.records import Container
from autograder.controlplane.kubelet.records import Probe

#: The kinds in the order in which they run, and the field of a container that specifies each.
FIELDS: Final = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}
USER_AGENT: Final = "kube-probe/1.36"


class Result(NamedTuple):
    """How one run of a probe ended."""

    success: bool
    output: str = ""


def first(container: Object, started_at: int) -> dict[str, Probe]:
    """The probes of a container that has just been started."""
    probes = {}
    for kind, field in FIELDS.items():
        spec = container.get(field)
        if spec:
            probes[kind] = Probe(started_at + spec.get("initialDelaySeconds", 0) * SECOND)
    return probes


def resumed(container: Object, status: Object, now: int) -> dict[str, Probe]:
    """The probes of a container that was found running: what its status says holds until a probe says otherwise."""
    verdicts = {"startup": status.get("started"), "readiness": status.get("ready"), "liveness": True}
    return {
        kind: probe._replace(
            due=now, verdict=verdicts[kind] or None, on_hold=kind == "startup" and bool(verdicts[kind])
        )
        for kind, probe in first(container, now).items()
    }


def judged(probe: Probe, spec: Object, success: bool, now: int) -> Probe:
    """A probe after one more result: its verdict changes when a threshold is reached."""
    run = probe.run + 1 if probe.last == success else 1
    threshold = spec.get("successThreshold", 1) if success else spec.get("failureThreshold", 3)
    verdict = success if run >= threshold else probe.verdict
    return probe._replace(due=now + spec.get("periodSeconds", 10) * SECOND, last=success, run=run, verdict=verdict)


def run(machines: Machines, spec: Object, container_spec: Object, container: Container, ip: str) -> Result:
    """Run one probe against a container."""
    timeout = spec.get("timeoutSeconds", 1)
    if "exec" in spec:
        return execute(machines, container, tuple(spec["exec"].get("command") or ()), timeout)
    host = machines.hosts[container.host]
    source = Source(host.address, host.name)
    if "httpGet" in spec:
        return _http(machines, source, spec["httpGet"], container_spec, ip)
    port = spec["tcpSocket"]["port"] if "tcpSocket" in spec else spec.get("grpc", {}).get("port", 0)
    target = (spec.get("tcpSocket") or {}).get("host") or ip
    number = port_number(port, container_spec)
    try:
        machines.wire.request(source, f"tcp://{target}:{number}", lambda name: [name, name])
    except NetworkError as error:
        return Result(False, _dialled(target, number, error))
    return Result(True)


def execute(machines: Machines, container: Container, command: tuple[str, ...], timeout: int) -> Result:
    """Run a command in a container; success is exit code 0 in time."""
    done = machines.exec(container.id, command, limit=timeout * SECOND)
    if done.elapsed >= timeout * SECOND:
        return Result(False, f'command timed out: "{" ".join(command)}" timed out after {timeout}s')
    return Result(done.exit_code == 0, done.stdout + done.stderr)


def port_number(port: int | str, container_spec: Object) -> int:
    """A port given by number or by the name of one of the container's ports; 0 for an unknown name."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    return next((known["containerPort"] for known in container_spec.get("ports") or () if known.get("name") == port), 0)


def _http(machines: Machines, source: Source, action: Object, container_spec: Object, ip: str) -> Result:
    host = action.get("host") or ip
    number = port_number(action["port"], container_spec)
    scheme = action.get("scheme", "HTTP").lower()
    path = "/" + action.get("path", "/").lstrip("/")
    url = f"{scheme}://{host}:{number}{path}"
    headers = {header["name"]: header["value"] for header in action.get("httpHeaders") or ()}
    try:
        answer = machines.wire.request(
            source, url, lambda name: [name, name], headers={"User-Agent": USER_AGENT} | headers
        )
    except NetworkError as error:
        return Result(False, f'Get "{url}": {_dialled(host, number, error)}')
    if 200 <= answer.status < 400:
        return Result(True, answer.body)
    return Result(False, f"HTTP probe failed with statuscode: {answer.status}")


def _dialled(host: str, port: int, error: NetworkError) -> str:
    if isinstance(error, Refused):
        return f"dial tcp {host}:{port}: connect: connection refused"
    if isinstance(error, TimedOut):
        return f"dial tcp {host}:{port}: i/o timeout"
    return f"dial tcp: lookup {host}: no such host"
