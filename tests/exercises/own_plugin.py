"""An exercise whose answers are programs: a plugin for the scheduler that prefers the emptiest node."""

from __future__ import annotations

from pathlib import Path

ID = "scheduler/own-plugin"

FILES = {
    "task.md": """\
---
title: A plugin of your own
kind: python
difficulty: hard
points: 5
minutes: 25
parameters:
  most: {default: 100, choices: [10, 100]}
---
Write a function `score(pod, node)`, as a plugin of the scheduler has one. Both are objects of the API. It returns a
whole number from 0 to {{ most }}: the share of the node's `allocatable` CPU, in whole cores, that is free once the Pod
runs there, where the node's annotation `used` says how many cores others have. A Pod that does not fit gets 0.

For example, a node of 10 cores of which 2 are used gets 50 of 100 for a Pod that requests 3.
""",
    "starter.py": """\
def score(pod, node):
    return None
""",
    "solution.py": """\
def score(pod, node):
    cores = int(node["status"]["allocatable"]["cpu"])
    used = int(node["metadata"]["annotations"]["used"])
    wanted = sum(int(container["resources"]["requests"]["cpu"]) for container in pod["spec"]["containers"])
    return max(0, {{ most }} * (cores - used - wanted) // cores)
""",
    "hints.md": "What does the scheduler know of a node?\n---\nAdd up the containers of the Pod first.\n",
    "checks.py": '''\
from __future__ import annotations

from typing import Any

from autograder.checks import Review, criterion


def pod(*cores: int) -> dict[str, Any]:
    """A Pod with a container for each request."""
    containers = [{"name": f"c{at}", "resources": {"requests": {"cpu": str(n)}}} for at, n in enumerate(cores)]
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}


def node(cores: int, used: int) -> dict[str, Any]:
    """A node that others use."""
    meta = {"name": "n", "annotations": {"used": str(used)}}
    return {"kind": "Node", "metadata": meta, "status": {"allocatable": {"cpu": str(cores)}}}


def gets(review: Review, shares: list[float], *calls: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """The scores are these shares of the most."""
    scores = review.results("score", *calls)
    wanted = [int(share * review.values["most"]) for share in shares]
    held = [type(score) is int and score == right for score, right in zip(scores, wanted, strict=True)]
    review.require(all(held), "the scores are others", wanted=str(wanted), found=str(scores)[:200])


@criterion("share", points=3)
def share(review: Review) -> None:
    """The scheduler adds up the scores of its plugins, so that each keeps to the same range."""
    gets(review, [0.5, 0.9, 0.2], (pod(3), node(10, 2)), (pod(1), node(10, 0)), (pod(4), node(10, 4)))


@criterion("all containers", points=1)
def containers(review: Review) -> None:
    """A Pod runs on one node as a whole."""
    gets(review, [0.4], (pod(1, 2), node(10, 3)))


@criterion("no room", points=1)
def room(review: Review) -> None:
    """A score is never below 0."""
    gets(review, [0, 0.2], (pod(9), node(10, 4)), (pod(8), node(10, 0)))
''',
    "accepted/plain.py": """\
def score(pod, node):
    free = int(node["status"]["allocatable"]["cpu"]) - int(node["metadata"]["annotations"]["used"])
    for container in pod["spec"]["containers"]:
        free = free - int(container["resources"]["requests"]["cpu"])
    if free < 0:
        return 0
    return free * {{ most }} // int(node["status"]["allocatable"]["cpu"])
""",
    "mutants/first-container.py": """\
# loses: all containers
def score(pod, node):
    cores = int(node["status"]["allocatable"]["cpu"])
    used = int(node["metadata"]["annotations"]["used"])
    wanted = int(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    return max(0, {{ most }} * (cores - used - wanted) // cores)
""",
    "mutants/below-zero.py": """\
# loses: no room
def score(pod, node):
    cores = int(node["status"]["allocatable"]["cpu"])
    used = int(node["metadata"]["annotations"]["used"])
    wanted = sum(int(container["resources"]["requests"]["cpu"]) for container in pod["spec"]["containers"])
    return {{ most }} * (cores - used - wanted) // cores
""",
    "mutants/fails.py": """\
# loses: share, all containers, no room
def score(pod, node):
    raise RuntimeError("not yet")
""",
    "mutants/texts.py": """\
# loses: share, all containers, no room
def score(pod, node):
    return "50"
""",
}


def write(root: Path) -> Path:
    """Write the exercise below a folder of exercises; its own folder."""
    for name, text in FILES.items():
        path = root / ID / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / ID
