"""A rollout over time: how many Pods of each version there were, second by second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from autograder.notebook.pictures.picture import Picture
from autograder.notebook.pictures.svg import PALETTE, Drawing

#: How many moments are shown, the latest ones.
MOMENTS: Final = 14
_REVISION: Final = "deployment.kubernetes.io/revision"
_COLUMN: Final = 58
_POD: Final = 16
_LEGEND: Final = 20


@dataclass(frozen=True, slots=True)
class Count:
    """The Pods of one ReplicaSet: all, and those that are ready."""

    pods: int
    ready: int

    def __str__(self) -> str:
        return f"{self.ready} of {self.pods} ready"


#: A moment and the ReplicaSets that have Pods then.
Moment = tuple[str, dict[str, Count]]


def draw(deployment: dict[str, Any], writes: Iterable[Mapping[str, Any]]) -> Picture:
    """A column for each second in which a number changed, and in it a square for each Pod.

    ``writes`` is what was written about ReplicaSets (``time``, ``value``), oldest first.
    """
    name = deployment["metadata"]["name"]
    mine = [write for write in writes if write["value"] and _is_of(write["value"], deployment)]
    latest = {write["value"]["metadata"]["name"]: write["value"] for write in mine}
    seen = moments(mine)[-MOMENTS:]
    shown = [each for each in latest if any(each in counts for _, counts in seen)]
    colours = {each: PALETTE[number % len(PALETTE)] for number, each in enumerate(shown)}
    drawing = Drawing()
    lines = [_described(latest[each]) for each in shown]
    for number, (each, line) in enumerate(zip(shown, lines, strict=True)):
        drawing.box(1, 1 + number * _LEGEND, 12, 12, colours[each], strength=0.75)
        drawing.text(20, 12 + number * _LEGEND, line)
    drawing.text(1, 14 + len(shown) * _LEGEND, "filled: ready; empty: not ready yet", size=11, faint=True)
    lines += [f"{time}  {', '.join(f'{each}: {counts[each]}' for each in counts)}" for time, counts in seen]
    _columns(drawing, 26 + len(shown) * _LEGEND, seen, colours)
    return Picture(f"The rollout of Deployment {name} over time", tuple(lines), drawing)


def moments(writes: Iterable[Mapping[str, Any]]) -> list[Moment]:
    """The counts at the end of each second in which one of them changed."""
    counts: dict[str, Count] = {}
    result: list[Moment] = []
    for write in writes:
        status, name = write["value"].get("status", {}), write["value"]["metadata"]["name"]
        count = Count(status.get("replicas", 0), status.get("readyReplicas", 0))
        if counts.get(name, Count(0, 0)) == count:
            continue
        counts = {**counts, name: count}
        time = write["time"].partition("T")[2].rstrip("Z")
        if result and result[-1][0] == time:
            result.pop()
        result.append((time, {each: counts[each] for each in counts if counts[each].pods}))
    return result


def _columns(drawing: Drawing, top: float, seen: Sequence[Moment], colours: Mapping[str, str]) -> None:
    most = max((sum(count.pods for count in counts.values()) for _, counts in seen), default=0)
    foot = top + most * (_POD + 3)
    for number, (time, counts) in enumerate(seen):
        x, y = 1 + number * _COLUMN, foot
        for name, colour in colours.items():
            count = counts.get(name, Count(0, 0))
            for pod in range(count.pods):
                y -= _POD + 3
                ready = pod < count.ready
                drawing.box(x + 14, y, _POD + 8, _POD, colour, strength=0.75 if ready else 0, dashed=not ready)
        drawing.text(x + 26, foot + 14, time, size=11, anchor="middle")


def _described(replicaset: Mapping[str, Any]) -> str:
    meta = replicaset["metadata"]
    images = ", ".join(each["image"] for each in replicaset["spec"]["template"]["spec"]["containers"])
    return f"{meta['name']}: {images}, revision {meta.get('annotations', {}).get(_REVISION, '?')}"


def _is_of(replicaset: Mapping[str, Any], deployment: Mapping[str, Any]) -> bool:
    references = replicaset["metadata"].get("ownerReferences") or ()
    return any(each["uid"] == deployment["metadata"]["uid"] for each in references)
