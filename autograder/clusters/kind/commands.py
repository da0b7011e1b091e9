"""``autograder cluster delete kind[:NAME]``."""

from __future__ import annotations

import argparse
import sys

from autograder.clusters.interface import ClusterError
from autograder.clusters.kind import provision
from autograder.clusters.kind.engine import Tools
from autograder.clusters.systems import require_posix

DONE, NOT_DONE = 0, 2


def delete(options: argparse.Namespace) -> int:
    """Delete the kind cluster that was named; 2 if that cannot be done."""
    kind, _, rest = options.spec.partition(":")
    try:
        require_posix("cluster delete")
        if kind != "kind":
            raise ClusterError(f"only kind clusters are deleted, as kind or kind:NAME; {options.spec!r} is none")
        name = provision.name_of(rest)
        tools = Tools.find()
        there = name in provision.clusters(tools)
        provision.delete(tools, name)
    except ClusterError as error:
        print(f"autograder cluster delete: {error}", file=sys.stderr)
        return NOT_DONE
    print(f"the kind cluster {name} is deleted" if there else f"there is no kind cluster {name}")
    return DONE
