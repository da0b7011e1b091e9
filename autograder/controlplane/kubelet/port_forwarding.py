"""Ports of a pod, for whoever forwards to them: the way of ``kubectl port-forward`` from the kubelet on.

A container runtime connects within the pod's own network, so that no Service and no NetworkPolicy is in between.  Texts
of errors are those of pkg/kubelet and of containerd.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from autograder.controlplane.apimachinery.node_connection import HttpAnswer
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.network import Answer, NetworkError, Refused, Source
from autograder.controlplane.containers.servers import REASONS

LOOPBACK: Final = "127.0.0.1"


class PodPorts:
    """The ports of one pod, by its uid, on a node."""

    def __init__(self, machines: Machines, node: str, uid: str) -> None:
        self._machines = machines
        self._source = Source(LOOPBACK, node, uid)

    def refusal(self, port: int) -> str:
        """Why nothing can be sent to a port; nothing if it can."""
        try:
            self._request("tcp", port, "")
        except NetworkError as error:
            return self._failed(port, str(error).lower())
        return ""

    def ask(self, port: int, method: str, target: str, headers: Mapping[str, str]) -> HttpAnswer | None:
        """Send an HTTP request to a port; None when what listens there speaks something else, or nothing does."""
        try:
            answer = self._request("http", port, target, headers, method or "GET")
        except NetworkError:
            return None
        return HttpAnswer(answer.status, REASONS.get(answer.status, ""), answer.content_type, answer.body)

    def _request(
        self, scheme: str, port: int, target: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Answer:
        sandbox = self._machines.sandboxes.get(self._source.pod_uid)
        if sandbox is None or not sandbox.ready:
            raise Refused
        url = f"{scheme}://{LOOPBACK}:{port}{target}"
        return self._machines.wire.request(
            self._source, url, lambda name: ["", LOOPBACK], headers=headers, method=method
        )

    def _failed(self, port: int, why: str) -> str:
        sandbox = self._machines.sandboxes.get(self._source.pod_uid)
        found = sandbox.id if sandbox else self._source.pod_uid
        space = f"/var/run/netns/cni-{uuid.uuid5(uuid.NAMESPACE_OID, found)}"
        return (
            f"error forwarding port {port} to pod {found}, uid : failed to execute portforward in network namespace "
            f'"{space}": failed to connect to localhost:{port} inside namespace "{found}", IPv4: dial tcp4 '
            f"{LOOPBACK}:{port}: connect: {why} IPv6 dial tcp6 [::1]:{port}: connect: {why} "
        )
