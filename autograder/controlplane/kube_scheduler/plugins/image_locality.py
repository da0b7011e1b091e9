"""ImageLocality: likes nodes that have the pod's images already, the larger the better.

An image counts less the fewer nodes have it, so that one node does not draw all pods.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.kube_scheduler.interface import MAX_NODE_SCORE, Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo

MEGABYTE: Final = 1024 * 1024
LEAST: Final = 23 * MEGABYTE
MOST_PER_CONTAINER: Final = 1000 * MEGABYTE


class ImageLocality:
    """See the module."""

    name = "ImageLocality"
    weight = 1

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """The size of the images that are there, on a scale from 23 MB (0) to 1000 MB a container (100)."""
        images, containers = _images(pod)
        there = node.node.images
        spread, nodes = cycle.handle.cache.image_nodes, len(cycle.snapshot.nodes)
        size = sum(int(there[image] * (spread[image] / nodes)) for image in images if image in there)
        most = MOST_PER_CONTAINER * containers
        return MAX_NODE_SCORE * (min(max(size, LEAST), most) - LEAST) // (most - LEAST)

    def sign_score(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """The images, and how the images are spread over the nodes."""
        return _images(pod), cycle.handle.cache.image_changes


def _images(pod: PodInfo) -> tuple[tuple[str, ...], int]:
    """The pod's images by the names that nodes give them, and the number of its containers."""
    spec = pod.spec
    containers = (*spec.get("initContainers", ()), *spec["containers"])
    names = [container.get("image", "") for container in containers]
    names += [volume["image"].get("reference", "") for volume in spec.get("volumes", ()) if "image" in volume]
    return tuple(map(_with_tag, names)), len(containers)


def _with_tag(image: str) -> str:
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"
