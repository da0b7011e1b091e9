"""``autograder cluster serve``: a cluster of the kind that was asked for, in the foreground."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Final

from autograder.clusters.attending import Owned, Visited, read_kubeconfig
from autograder.clusters.controls import Controlled, Controls
from autograder.clusters.interface import ClusterError, Object
from autograder.clusters.opening import FORMS, kubeconfig_of
from autograder.clusters.relay import OpenGate
from autograder.clusters.systems import require_posix
from autograder.controlplane.fronts import kubeconfig

DONE, NOT_DONE = 0, 2
#: What of the options means something for embedded clusters only, and for clusters that this process starts.
_EMBEDDED_ONLY: Final = {"etcd": None, "load": None, "port": 0, "clock": "wall"}
_STARTED_ONLY: Final = {"nodes": None, "without": ""}

#: A cluster, the kubeconfig that leads to it, and what is to be looked at now and then.
Opened = tuple[Controlled, Object, Callable[[], None]]


def serve(options: argparse.Namespace) -> int:
    """Run a cluster until SIGINT or SIGTERM; 2 if the options cannot be followed or the cluster does not start."""
    kind = options.cluster.partition(":")[0]
    if options.cluster == "embedded":
        from autograder.controlplane.fronts.serve import serve as serve_embedded

        return serve_embedded(options)
    try:
        if kind not in _KINDS:
            raise ClusterError(f"no cluster is known as {options.cluster!r}; write {FORMS}")
        _serve(options, _KINDS[kind])
    except (ClusterError, ValueError, OSError) as error:
        print(f"autograder cluster serve: {error}", file=sys.stderr)
        return NOT_DONE
    except KeyboardInterrupt:
        pass
    return DONE


def _serve(
    options: argparse.Namespace, opened: Callable[[argparse.Namespace], contextlib.AbstractContextManager[Opened]]
) -> None:
    _refuse(options, _EMBEDDED_ONLY)
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            raise KeyboardInterrupt
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if options.until_eof:
        threading.Thread(target=_watch_stdin, args=(ended,), daemon=True).start()
    with opened(options) as (cluster, config, check):
        controls = Controls(cluster, ended.set)
        try:
            if not ended.is_set():
                kubeconfig.write(options.kubeconfig, controls.extended(config))
                print("ready", flush=True)
            while not ended.wait(1):
                check()
        finally:
            controls.close()


@contextlib.contextmanager
def _local(options: argparse.Namespace) -> Iterator[Opened]:
    """A control plane of this process."""
    from autograder.clusters.local.cluster import LocalPowers
    from autograder.clusters.owned import OwnedConnection
    from autograder.controlplane.fronts.serve import UnusableOptionError, read_nodes
    from autograder.controlplane.topology import DEFAULT_NODES

    if options.cluster != "local":
        raise ClusterError(f"no cluster is known as {options.cluster!r}; write {FORMS}")
    require_posix("--cluster local")
    try:
        nodes = read_nodes(options.nodes) if options.nodes else DEFAULT_NODES
    except UnusableOptionError as error:
        raise ClusterError(str(error)) from error
    without = [name.strip() for name in options.without.split(",") if name.strip()]
    powers = LocalPowers(without, nodes)
    try:
        connection = OwnedConnection(powers.kubeconfig)
        cluster = Owned("local", connection, powers, powers.command, running=powers.running)
        yield cluster, read_kubeconfig(powers.kubeconfig), powers.check
    finally:
        powers.close()


@contextlib.contextmanager
def _kind(options: argparse.Namespace) -> Iterator[Opened]:
    """All of a kind cluster, its nodes called as lessons know them, which is put back as it was."""
    from autograder.clusters.kind.cluster import KindCluster

    _refuse(options, _STARTED_ONLY)
    require_posix("--cluster kind")
    root = KindCluster.ensure(options.cluster.partition(":")[2])
    try:
        place = root.whole()
        with contextlib.ExitStack() as last:
            last.callback(place.close)
            relay = place.relay(OpenGate(), secrets.token_urlsafe(24), 0)
            last.callback(relay.close)
            cluster = Owned(options.cluster, root.connection, root.powers, root.shell, relay=relay)
            last.callback(cluster.put_back)
            name = root.connection.context
            yield cluster, relay.kubeconfig(name, name), lambda: None
    finally:
        root.close()


@contextlib.contextmanager
def _kubeconfig(options: argparse.Namespace) -> Iterator[Opened]:
    """A room in somebody's cluster."""
    _refuse(options, _STARTED_ONLY)
    cluster = Visited(options.cluster, *kubeconfig_of(options.cluster.partition(":")[2]))
    try:
        yield cluster, cluster.kubeconfig(), lambda: None
    finally:
        cluster.close()


_KINDS: Final = {"local": _local, "kind": _kind, "kubeconfig": _kubeconfig}


def _refuse(options: argparse.Namespace, defaults: Mapping[str, object]) -> None:
    """Raise ``ClusterError`` for an option that means nothing to this kind of cluster."""
    given = [name for name, default in defaults.items() if getattr(options, name) != default]
    if given:
        raise ClusterError(f"--{given[0]} means nothing to a cluster of the kind {options.cluster}; leave it out")


def _watch_stdin(ended: threading.Event) -> None:
    """End with the process at the other end of standard input."""
    sys.stdin.buffer.read()
    ended.set()
