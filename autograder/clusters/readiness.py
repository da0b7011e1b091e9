"""Whether a Node or a Pod can be used, and in which order components are started until they can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autograder.clusters.interface import Object

API_SERVER: Final = "kube-apiserver"
#: What has to run for the API server to answer, in the order in which it is started.
ANSWERING: Final = ("etcd", API_SERVER)


def is_ready(obj: Object) -> bool:
    """Whether the condition Ready is True."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def in_order_of_start(components: Iterable[str]) -> list[str]:
    """Components as they are started: first what all others need, then the others as they came."""
    names = list(components)
    return sorted(names, key=(*ANSWERING, *names).index)
