"""The commands that a node has besides those of every container: ``ps aux``, ``systemctl``, ``crictl``, ``journalctl``.

Formats are those of procps, systemd, cri-tools and iptables, with the columns that lessons look at.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from autograder.controlplane.apimachinery import integers, timestamps
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import EVENTS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import images
from autograder.controlplane.containers.calls import Applet, Call, Outcome, System
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.records import Container, ContainerState, Host
from autograder.controlplane.containers.text_applets import options_of
from autograder.controlplane.kube_proxy import iptables
from autograder.controlplane.kubelet.kubeadm import VERSION
from autograder.controlplane.kubelet.node_files import DROP_IN, UNIT, kubelet_flags

NO_POWER: Final = "ssh: connect to host {node} port 22: No route to host\n"
_KUBELET: Final = (
    "/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf "
    "--kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml"
)
_KUBELET_PID: Final = 702
_UNITS: Final = {"kubelet": "kubelet: The Kubernetes Node Agent", "containerd": "containerd container runtime"}
_STATES: Final = {
    ContainerState.CREATED: "Created", ContainerState.RUNNING: "Running", ContainerState.EXITED: "Exited",
}  # fmt: skip


class HostProcess(NamedTuple):
    """A process as the machine sees it; one of a container has the pid ``inner`` there.  ``started``: microseconds."""

    pid: int
    user: str
    started: int
    words: str
    container: Container | None = None
    inner: int = 0


class NodeServices(System):
    """What the commands here ask of a node besides what every command asks of its machine."""

    machines: Machines
    client: Client
    host: Host

    @abstractmethod
    def containers(self) -> list[Container]: ...

    @abstractmethod
    def host_processes(self) -> list[HostProcess]: ...

    @abstractmethod
    def kubelet_runs(self) -> bool: ...

    @abstractmethod
    def stop_kubelet(self) -> None: ...

    @abstractmethod
    def start_kubelet(self) -> None: ...

    @property
    def kubelet_pid(self) -> int:
        return _KUBELET_PID

    @property
    def kubelet_command(self) -> str:
        return f"{_KUBELET} {kubelet_flags(self.host.name)}"


def _node(call: Call) -> NodeServices:
    return cast(NodeServices, call.system)


def _ps(call: Call) -> Outcome:
    """``ps aux``, ``ps -aux`` and ``ps -ef``; any other form is answered as ``ps aux``."""
    processes = _node(call).host_processes()
    if {"e", "f"} & set("".join(call.args)) and "x" not in "".join(call.args):
        call.out("UID          PID    PPID  C STIME TTY          TIME CMD\n")
        for one in processes:
            call.out(f"{one.user:<8} {one.pid:>7} {min(one.pid - 1, 1):>7}  0 {_start(one)} ?        00:00:00 "
                     f"{one.words}\n")  # fmt: skip
        return 0
    call.out("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")
    for one in processes:
        call.out(f"{one.user:<8} {one.pid:>7}  0.0  0.0      0     0 ?        Ssl  {_start(one)}   0:00 {one.words}\n")
    return 0


def _start(process: HostProcess) -> str:
    return f"{datetime.fromtimestamp(process.started / SECOND, UTC):%H:%M}"


#: What systemctl says of a unit that is not there, and its exit code, where that is not what ``status`` says.
_NO_UNIT: Final = {
    "start": (5, "Failed to {verb} {unit}: Unit {unit} not found."),
    "restart": (5, "Failed to {verb} {unit}: Unit {unit} not found."),
    "stop": (5, "Failed to {verb} {unit}: Unit {unit} not loaded."),
    "cat": (1, "No files found for {unit}."),
}


def _systemctl(call: Call) -> Outcome:
    node = _node(call)
    words = [word for word in call.args if not word.startswith("-")]
    if not words or words[0] == "daemon-reload":
        return 0
    verb, units = words[0], [word.removesuffix(".service") for word in words[1:]]
    for unit in units:
        if unit not in _UNITS:
            code, complaint = _NO_UNIT.get(verb, (4, "Unit {unit} could not be found."))
            call.err(f"{complaint.format(verb=verb, unit=f'{unit}.service')}\n")
            return code
    return max((_on_unit(call, node, verb, unit) for unit in units), default=0)


def _on_unit(call: Call, node: NodeServices, verb: str, unit: str) -> int:
    active = unit != "kubelet" or node.kubelet_runs()
    if verb == "is-active":
        call.out("active\n" if active else "inactive\n")
        return 0 if active else 3
    if verb == "is-enabled":
        call.out("enabled\n")
        return 0
    if verb == "status":
        return _status(call, node, unit, active=active)
    if verb == "cat":
        for path in (UNIT, DROP_IN):
            if unit in path and node.files.is_file(path):
                call.out(f"# {path}\n{node.files.read(path)}\n")
        return 0
    if verb not in ("start", "stop", "restart"):
        call.err(f"Unknown command verb '{verb}'.\n")
        return 1
    if unit != "kubelet":
        call.err(f"systemctl {verb} {unit} is not simulated\n")
        return 1
    if verb in ("stop", "restart") and active:
        node.stop_kubelet()
    if verb in ("start", "restart"):
        node.start_kubelet()
    return 0


def _status(call: Call, node: NodeServices, unit: str, *, active: bool) -> int:
    state = "active (running)" if active else "inactive (dead)"
    mark = "●" if active else "○"
    call.out(f"{mark} {unit}.service - {_UNITS[unit]}\n")
    call.out(f"     Loaded: loaded (/usr/lib/systemd/system/{unit}.service; enabled; preset: enabled)\n")
    if unit == "kubelet":
        call.out("    Drop-In: /etc/systemd/system/kubelet.service.d\n             └─10-kubeadm.conf\n")
    call.out(f"     Active: {state}\n")
    if active:
        pid = node.kubelet_pid if unit == "kubelet" else 512
        words = node.kubelet_command if unit == "kubelet" else "/usr/bin/containerd"
        call.out(f"   Main PID: {pid} ({unit})\n     CGroup: /system.slice/{unit}.service\n"
                 f"             └─{pid} {words}\n")  # fmt: skip
    return 0 if active else 3


def _journalctl(call: Call) -> Outcome:
    """``journalctl -u kubelet [-n LINES]``: what the kubelet of the node has reported, as its log has it."""
    options, _ = options_of(call, "un")
    unit = (options.get("u") or options.get("unit", "")).removesuffix(".service")
    if unit != "kubelet":
        call.out("-- No entries --\n")
        return 0
    node = _node(call)
    try:
        events, _ = node.client.list(EVENTS)
    except StatusError as error:
        return call.fail(f"the journal is kept by the API server here: {error.message}")
    lines = [line for event in events if _is_of(event, node.host.name) for line in [_journal_line(event)]]
    lines.sort(key=lambda line: line[0])
    count = integers.read(options.get("n") or options.get("lines", "")) or 0
    shown = lines[-count:] if count > 0 else lines
    call.out("".join(f"{text}\n" for _, text in shown) or "-- No entries --\n")
    return 0


def _is_of(event: Object, node: str) -> bool:
    source = event.get("source") or {}
    return source.get("component") == "kubelet" and source.get("host") == node


def _journal_line(event: Object) -> tuple[int, str]:
    at = timestamps.parse(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
    moment = datetime.fromtimestamp(at / SECOND, UTC)
    about = event["involvedObject"]
    name = "/".join(part for part in (about.get("namespace", ""), about.get("name", "")) if part)
    level = "I" if event["type"] == "Normal" else "W"
    text = (
        f'"Event occurred" object="{name}" kind="{about.get("kind")}" type="{event["type"]}" '
        f'reason="{event["reason"]}" message="{event.get("message", "")}"'
    )
    host = event["source"]["host"]
    return at, (
        f"{moment:%b %d %H:%M:%S} {host} kubelet[{_KUBELET_PID}]: {level}{moment:%m%d %H:%M:%S.%f} {_KUBELET_PID:>7} "
        f"event.go:389] {text}"
    )


def _iptables_save(call: Call) -> Outcome:
    """``iptables-save [-t TABLE]``: the rules of kube-proxy on this node."""
    node = _node(call)
    options, _ = options_of(call, "t")
    text = iptables.save(node.machines.rules, node.host.name)
    table = options.get("t", "")
    if table:
        match = re.search(rf"^\*{re.escape(table)}\n.*?^COMMIT\n", text, re.M | re.S)
        text = match[0] if match else ""
    call.out(text)
    return 0


def _crictl(call: Call) -> Outcome:
    words = list(call.args)
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if "=" not in flag and flag in ("-r", "--runtime-endpoint", "-i", "--image-endpoint") and words:
            words.pop(0)
    verb = _CRICTL.get(words[0]) if words else None
    if verb is None:
        call.err(f"crictl: of its commands there are {', '.join(_CRICTL)} here\n")
        return 1
    return verb(call, words[1:])


def _crictl_ps(call: Call, args: list[str]) -> int:
    node = _node(call)
    everything = bool({"-a", "--all"} & set(args))
    name = args[args.index("--name") + 1] if "--name" in args[:-1] else ""
    shown, rows = [], []
    for one in reversed(node.containers()):
        sandbox = node.machines.sandboxes.get(one.pod_uid)
        if (one.running or everything) and name in one.name:
            shown.append(one)
            rows.append((
                one.id[:13], one.image.id.removeprefix("sha256:")[:13], _ago(node.now - one.created),
                _STATES[one.state], one.name, str(one.attempt), sandbox.id[:13] if sandbox else "",
                sandbox.name if sandbox else "unknown", sandbox.namespace if sandbox else "unknown",
            ))  # fmt: skip
    if {"-q", "--quiet"} & set(args):
        call.out("".join(f"{one.id}\n" for one in shown))
        return 0
    titles = ("CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE")
    call.out(_table(titles, rows))
    return 0


def _crictl_pods(call: Call, args: list[str]) -> int:
    node = _node(call)
    sandboxes = [one for one in node.machines.sandboxes.values() if one.host == node.host.name]
    rows = [
        (one.id[:13], _ago(node.now - one.created), "Ready" if one.ready else "NotReady", one.name, one.namespace,
         str(one.attempt), "(default)")
        for one in sorted(sandboxes, key=lambda one: (-one.created, one.name))
    ]  # fmt: skip
    call.out(_table(("POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"), rows))
    return 0


def _crictl_images(call: Call, args: list[str]) -> int:
    rows = []
    for reference in _node(call).host.images:
        image = images.CATALOGUE[reference]
        rows.append((image.name, image.tag, image.id.removeprefix("sha256:")[:13], f"{image.size / 1e6:.3g}MB"))
    call.out(_table(("IMAGE", "TAG", "IMAGE ID", "SIZE"), rows))
    return 0


def _crictl_logs(call: Call, args: list[str]) -> int:
    names = [arg for arg in args if not arg.startswith("-")]
    found = next((one for one in _node(call).containers() if names and one.id.startswith(names[-1])), None)
    if found is None:
        call.err(f'crictl: container "{names[-1] if names else ""}" not found\n')
        return 1
    call.out("".join(line.text for line in found.log))
    return 0


_CRICTL: Final[dict[str, Callable[[Call, list[str]], int]]] = {
    "ps": _crictl_ps, "pods": _crictl_pods, "images": _crictl_images, "logs": _crictl_logs,
}  # fmt: skip


#: For how many days at most a unit of so many days is used.
_LONG_AGO: Final = ((14, 1, "days"), (60, 7, "weeks"), (730, 30, "months"))


def _ago(micros: int) -> str:
    """``5 minutes ago``, in the words and with the rounding of cri-tools."""
    seconds = micros // SECOND
    hours = (seconds + 1800) // 3600
    if seconds < 1:
        return "Less than a second ago"
    if seconds < 60:
        return f"{seconds} second{'s' if seconds > 1 else ''} ago"
    if seconds < 120:
        return "About a minute ago"
    if seconds < 3600:
        return f"{seconds // 60} minutes ago"
    if hours < 48:
        return f"{hours} hours ago" if hours > 1 else "About an hour ago"
    days = hours // 24
    size, unit = next(((size, unit) for most, size, unit in _LONG_AGO if days < most), (365, "years"))
    return f"{days // size} {unit} ago"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they must be, with at least three blanks between them."""
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) + 3 for column in range(len(titles))]
    return "".join(
        "".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _version(text: str) -> Applet:
    def applet(call: Call) -> Outcome:
        call.out(text + "\n")
        return 0

    return applet


COMMANDS: Final[dict[str, Applet]] = {
    "crictl": _crictl,
    "iptables-save": _iptables_save,
    "journalctl": _journalctl,
    "kubelet": _version(f"Kubernetes {VERSION}"),
    "ps": _ps,
    "systemctl": _systemctl,
}
