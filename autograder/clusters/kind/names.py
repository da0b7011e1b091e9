"""The nodes of a kind cluster by the names that exercises know: ``worker-1`` for ``autograder-worker``.

kind names its nodes after the cluster and offers no other names.  On the way in a name is rewritten where it means a
node, or a static Pod, which is called after its node; on the way back wherever it stands, as those of namespaces are
(see ``translation``).  Outside of ``kube-system`` a Pod may be called ``hello-worker-1`` by chance: it is taken for a
static one only if such a Pod has been shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from autograder.clusters.translation import Translation

_HOSTNAME: Final = "kubernetes.io/hostname"
#: Fields of objects, and labels that nodes are chosen by.
_NODE_KEYS: Final = frozenset({"nodeName", _HOSTNAME})
#: Where objects are called as nodes are, by plural and namespace.
_CALLED_AS_NODES: Final = frozenset({("nodes", ""), ("csinodes", ""), ("leases", "kube-node-lease")})
_PODS: Final = "pods"
_SYSTEM: Final = "kube-system"
#: What a static Pod's name has before that of its node.
_OF_ITS_OWN: Final = re.compile(r"[a-z0-9][a-z0-9.-]*-\Z")
_LONGEST_NAME: Final = 253
#: Fields of events; of one about a node the kubelet writes the node's name as the uid too.
_KIND_INVOLVED: Final = "involvedObject.kind"
_INVOLVED: Final = ("involvedObject.name", "involvedObject.uid")
#: A name in a command line that is not part of a longer one; what stands behind a slash is a host only in an address.
_WORD: Final = re.compile(r"(?:(?<=//)|(?<![\w./-]))[a-z][\w-]*(?![\w.-])")
#: A field of a selector, and what it is to be or not to be.
_FIELD: Final = re.compile(r"([\w.]+)(!?==?)([^,]+)")


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
        self._static: set[str] = set()  # as they were shown
        self._real = [(re.compile(rf"{re.escape(ours)}(?![0-9a-z])"), name) for ours, name in real]

    def node(self, name: str) -> str:
        """The real name of a node."""
        return self._nodes.get(name, name)

    def command(self, line: str) -> str:
        """A command line for a shell on a node, where nodes know each other by their real names only."""
        return _WORD.sub(lambda word: self.node(word[0]), line)

    def object(self, plural: str, namespace: str, name: str) -> str:
        if (plural, namespace) in _CALLED_AS_NODES:
            return self.node(name)
        if plural == _PODS and (namespace == _SYSTEM or name in self._static):
            known = next((node for node in self._nodes if name.endswith(f"-{node}")), "")
            return name.removesuffix(known) + self.node(known)
        return name

    def fields_in(self, fields: str, plural: str = "", namespace: str = "") -> str:
        kinds = [field for field in fields.split(",") if field.startswith(_KIND_INVOLVED)]
        may_be_a_node = kinds in ([], [f"{_KIND_INVOLVED}=Node"])
        may_be_a_pod = kinds in ([], [f"{_KIND_INVOLVED}=Pod"])

        def renamed(match: re.Match[str]) -> str:
            field, operator, value = match.groups()
            if field == "spec.nodeName" or (may_be_a_node and field in _INVOLVED):
                value = self.node(value)
            if may_be_a_pod and field in _INVOLVED:
                value = self.object(_PODS, namespace, value)
            elif field == "metadata.name":
                value = self.object(plural, namespace, value)
            return field + operator + value

        return _FIELD.sub(renamed, fields)

    def text_out(self, text: str) -> str:
        text = super().text_out(text)
        for ours, name in self._real:
            for match in ours.finditer(text):
                begin = match.start()
                if before := _OF_ITS_OWN.search(text, max(0, begin - _LONGEST_NAME), begin):
                    self._static.add(before[0] + name)
            text = ours.sub(name, text)
        return text

    def inward(self, value: Any, key: str = "", *, free: bool = False) -> Any:
        if isinstance(value, str) and key in _NODE_KEYS:
            return self.node(value)
        if isinstance(value, dict) and value.get("kind") == "Node" and isinstance(value.get("metadata"), dict):
            meta = value["metadata"]
            if isinstance(meta.get("name"), str):
                value = {**value, "metadata": {**meta, "name": self.node(meta["name"])}}
        elif isinstance(value, dict) and value.get("key") in (_HOSTNAME, "metadata.name"):
            values = value.get("values")
            if isinstance(values, list):
                value = {**value, "values": [self.node(one) if isinstance(one, str) else one for one in values]}
        return super().inward(value, key, free=free)
