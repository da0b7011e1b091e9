"""The nodes of a kind cluster by the names that exercises know: ``worker-1`` for ``autograder-worker``.

kind names its nodes after the cluster and offers no other names.  On the way in a name is rewritten where it means a
node; on the way back wherever it stands, as those of namespaces are (see ``translation``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from autograder.clusters.translation import Translation

_HOSTNAME: Final = "kubernetes.io/hostname"
#: Fields of objects, and labels that nodes are chosen by.
_NODE_KEYS: Final = frozenset({"nodeName", _HOSTNAME})


def by_known_name(cluster: str, nodes: Sequence[str]) -> dict[str, str]:
    """The node containers of a cluster by the names that exercises know."""
    names = {"control-plane": f"{cluster}-control-plane"}
    workers = [node for node in nodes if re.fullmatch(rf"{re.escape(cluster)}-worker\d*", node)]
    workers.sort(key=lambda node: int(node.removeprefix(f"{cluster}-worker") or 1))
    return names | {f"worker-{number}": node for number, node in enumerate(workers, 1)}


class NodeTranslation(Translation):
    """Namespaces and nodes by two names each."""

    def __init__(self, nodes: Mapping[str, str]) -> None:
        super().__init__()
        self._nodes = dict(nodes)
        real = sorted(((ours, name) for name, ours in nodes.items()), key=lambda pair: -len(pair[0]))
        self._real = [(re.compile(rf"{re.escape(ours)}(?![0-9a-z])"), name) for ours, name in real]

    def node(self, name: str) -> str:
        """The real name of a node."""
        return self._nodes.get(name, name)

    def fields_in(self, fields: str) -> str:
        """A field selector with the real names of nodes."""
        return re.sub(r"(spec\.nodeName!?==?)([^,]+)", lambda match: match[1] + self.node(match[2]), fields)

    def text_out(self, text: str) -> str:
        text = super().text_out(text)
        for ours, name in self._real:
            text = ours.sub(name, text)
        return text

    def inward(self, value: Any, key: str = "", *, free: bool = False) -> Any:
        if isinstance(value, str) and key in _NODE_KEYS:
            return self.node(value)
        if isinstance(value, dict) and value.get("key") in (_HOSTNAME, "metadata.name"):
            values = value.get("values")
            if isinstance(values, list):
                value = {**value, "values": [self.node(one) if isinstance(one, str) else one for one in values]}
        return super().inward(value, key, free=free)
