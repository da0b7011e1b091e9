"""Write what a kind cluster needs for the exercises: images to have on its nodes, node ports to reach.

    python tools/list_kind_needs.py

It reads the right answers and the surroundings of all exercises.  Images that are not known to exist are left out:
some exercises are about an image that cannot be pulled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autograder.clusters.inside import CURL
from autograder.controlplane.containers.images import CATALOGUE, full_reference
from autograder.exercises import exercise_ids, load
from autograder.exercises.exercise import Exercise

FILE: Final = Path(__file__).parents[1] / "autograder" / "clusters" / "kind" / "needs.json"
_IMAGE: Final = re.compile(r"""\bimage["']?: *["']?([^\s"'{}\[\],]+)|--image[= ]([^\s"']+)""")
_NODE_PORT: Final = re.compile(r"\bnodePort: *(3[0-2]\d{3})\b")


def needs() -> dict[str, list[str] | list[int]]:
    """Images by their full names, and node ports, each once and in order."""
    texts = [text for exercise in map(load, exercise_ids()) for text in _texts(exercise)]
    images = {full_reference(match[1] or match[2]) for text in texts for match in _IMAGE.finditer(text)}
    ports = {int(match[1]) for text in texts for match in _NODE_PORT.finditer(text)}
    return {"images": sorted(images & CATALOGUE.keys() | {full_reference(CURL)}), "nodePorts": sorted(ports)}


def _texts(exercise: Exercise) -> Iterator[str]:
    yield from (exercise.setup, exercise.solution, *exercise.accepted.values())


if __name__ == "__main__":
    FILE.write_text(json.dumps(needs(), indent=2) + "\n", encoding="utf-8")
