"""Jobs: whoever deletes one without saying what is to become of its pods is told that they stay."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions

PODS_STAY: Final = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)


class JobRegistry(Registry):
    """The Jobs."""

    def delete_warnings(self, options: DeleteOptions) -> list[str]:
        return [] if options.propagation else [PODS_STAY]
