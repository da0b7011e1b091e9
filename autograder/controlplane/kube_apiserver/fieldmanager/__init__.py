"""Field managers: who wrote which field, so that server-side apply can tell whose value would be overwritten.

What a component of the control plane writes is not tracked; what users and their tools write is.
"""

from autograder.controlplane.kube_apiserver.fieldmanager.manager import apply, named, track_update

__all__ = ["apply", "named", "track_update"]
