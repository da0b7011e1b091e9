"""When kubelets act by themselves: the name under which they set timers, which there are, and how far apart.

A timer's key is ``(what, whose)``: ``("pod", uid)``, ``("volumes", uid)``, ``("lease", node)``, ``("status", node)`` or
``("manifests", node)``.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.clock import SECOND

COMPONENT: Final = "kubelet"

LEASE_PERIOD: Final = 10 * SECOND
STATUS_PERIOD: Final = 300 * SECOND
#: How soon a write that failed is tried again.
RETRY: Final = SECOND
#: How long it takes until a pod sees what has changed in its ConfigMaps, Secrets and labels.
REFRESH_PERIOD: Final = 60 * SECOND
#: How often a kubelet looks at its manifests when the last look was in vain.
FILE_CHECK_PERIOD: Final = 20 * SECOND
