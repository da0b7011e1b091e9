"""``autograder cluster status``, ``advance``, ``settle``, ``stop``, ``start``, ``power-off`` and ``power-on``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from autograder.clusters.interface import ClusterError
from autograder.clusters.served import ServedCluster

DONE, NOT_DONE = 0, 2


def control(options: argparse.Namespace) -> int:
    """Let a served cluster do what the last word of the command says, and print its state; 2 if it cannot."""
    verb = options.command.rpartition(" ")[2]
    cluster = ServedCluster(options.kubeconfig)
    try:
        if verb == "status":
            state = cluster.state()
        elif verb == "advance":
            state = cluster.post("advance", seconds=options.seconds)
        elif verb == "settle":
            state = cluster.post("settle")
        else:
            state = cluster.post(verb.replace("-", "_"), target=options.target)
    except ClusterError as error:
        print(f"autograder {options.command}: {error}", file=sys.stderr)
        return NOT_DONE
    print("\n".join(lines(state)))
    return DONE


def lines(state: dict[str, Any]) -> list[str]:
    """The state of a cluster for people."""
    return [
        f"clock    {state['now']}",
        f"running  {', '.join(state['running']) or '-'}",
        f"stopped  {', '.join(state['stopped']) or '-'}",
    ]
