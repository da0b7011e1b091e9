"""``autograder cluster serve``: a cluster of the kind that was asked for, in the foreground."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from autograder.clusters.interface import ClusterError

DONE, NOT_DONE = 0, 2
#: What of the options means something for embedded clusters only.
_EMBEDDED_ONLY = {"etcd": None, "load": None, "port": 0, "clock": "wall"}


def serve(options: argparse.Namespace) -> int:
    """Run a cluster until SIGINT or SIGTERM; 2 if the options cannot be followed or the cluster does not start."""
    if options.cluster != "local":
        from autograder.controlplane.fronts.serve import serve as serve_embedded

        return serve_embedded(options)
    try:
        _serve_local(options)
    except (ClusterError, ValueError, OSError) as error:
        print(f"autograder cluster serve: {error}", file=sys.stderr)
        return NOT_DONE
    except KeyboardInterrupt:
        pass
    return DONE


def _serve_local(options: argparse.Namespace) -> None:
    from autograder.clusters.local.cluster import LocalPowers
    from autograder.controlplane.fronts.serve import UnusableOptionError, read_nodes
    from autograder.controlplane.topology import DEFAULT_NODES

    given = [name for name, default in _EMBEDDED_ONLY.items() if getattr(options, name) != default]
    if given:
        raise ClusterError(f"--{given[0]} means nothing to a local cluster; leave it out")
    try:
        nodes = read_nodes(options.nodes) if options.nodes else DEFAULT_NODES
    except UnusableOptionError as error:
        raise ClusterError(str(error)) from error
    without = [name.strip() for name in options.without.split(",") if name.strip()]
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            raise KeyboardInterrupt
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if options.until_eof:
        threading.Thread(target=_watch_stdin, args=(ended,), daemon=True).start()
    powers = LocalPowers(without, nodes)
    try:
        if not ended.is_set():
            _hand_over(powers.kubeconfig, options.kubeconfig)
            print("ready", flush=True)
        while not ended.wait(1):
            powers.check()
    finally:
        powers.close()


def _watch_stdin(ended: threading.Event) -> None:
    """End with the process at the other end of standard input."""
    sys.stdin.buffer.read()
    ended.set()


def _hand_over(made: Path, wanted: Path) -> None:
    """Put a kubeconfig where it is wanted, readable by its owner alone, and never half of it."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    draft = wanted.with_name(f".{wanted.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    shutil.copyfile(made, draft)
    draft.replace(wanted)
