"""``%node``: a shell on a node of the student's cluster, for lessons that look below the API.

%node control-plane ps aux | grep kube-apiserver
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from IPython.core.magic import no_var_expand

from autograder.notebook.home import Home
from autograder.notebook.server import ClusterTrouble, StudentCluster

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

USAGE = "write %node NODE COMMAND, such as %node control-plane ls /etc/kubernetes/manifests"


def register(shell: InteractiveShell, home: Home) -> None:
    """Give a notebook the magic."""
    cluster = StudentCluster(home)

    @no_var_expand
    def node(line: str) -> None:
        """Run a command line in a shell of root on a node of the cluster, pipes and all."""
        run(cluster, line)

    shell.register_magic_function(node, magic_kind="line", magic_name="node")  # type: ignore[call-arg, arg-type]


def run(cluster: StudentCluster, line: str) -> None:
    """Print what a command line on a node prints; what is wrong with the line is printed too, and never raised."""
    name, _, command = line.strip().partition(" ")
    if not command.strip():
        print(USAGE, file=sys.stderr)
        return
    try:
        output = cluster.post("node", target=name, command=command.strip())
    except ClusterTrouble as trouble:
        print(trouble, file=sys.stderr)
        return
    sys.stdout.write(output["stdout"])
    sys.stdout.flush()
    sys.stderr.write(output["stderr"])
    sys.stderr.flush()
