"""Wrong answers made by rule: each field that the checks look at, dropped or changed, must cost something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograder.checks.meaning import as_quantity
from autograder.clusters import Object
from autograder.exercises.equivalents import QUANTITIES
from autograder.exercises.rewriting import Path, at, dropped, leaves, maps, replaced

Objects = Sequence[Object]


def mutations(objects: Objects, graded: Iterable[Path]) -> Iterator[tuple[str, Objects]]:
    """Named wrong answers; a path of ``graded`` begins with the index of its object."""
    everything = list(objects)
    for index, obj in enumerate(everything):
        named = f"{obj['kind']} {obj['metadata']['name']}"
        if len(everything) > 1:
            yield f"without {named}", [other for number, other in enumerate(everything) if number != index]
        yield f"{named} renamed", replaced(everything, (index, "metadata", "name"), obj["metadata"]["name"] + "-x")
    seen = set()
    for path in graded:
        for leaf, value in list(leaves(at(everything, path), path)):
            if leaf in seen or at(everything, leaf) is None:
                continue
            seen.add(leaf)
            shown = ".".join(map(str, leaf[1:]))
            yield f"{shown} dropped", dropped(everything, leaf)
            for other in others(leaf, value):
                yield f"{shown}: {other!r}", replaced(everything, leaf, other)
            if isinstance(value, str) and leaf[-2:-1] in (("labels",), ("matchLabels",)):
                yield f"{leaf[-1]}={value}-x everywhere", relabelled(everything, str(leaf[-1]), value, value + "-x")


def others(path: Path, value: Any) -> Iterator[Any]:
    """Values of the same type that mean something else."""
    if isinstance(value, bool):
        yield not value
    elif len(path) > 1 and path[-2] in QUANTITIES and as_quantity(value) is not None:
        quantity = as_quantity(value)
        assert quantity is not None
        yield str(quantity + quantity)
        yield str(quantity.milli_value // 2) + "m"
        yield "0"
    elif isinstance(value, int):
        yield value + 1
        yield max(0, value - 1) if value else value + 2
    elif path[-1] == "image" and isinstance(value, str):
        name, _, tag = value.rpartition(":")
        yield f"{name or tag}:9.99"
        yield f"other-{value}"
        yield name or f"{tag}:1"
        yield f"registry.example/{value}"
    elif isinstance(value, str):
        yield value + "-x"
        yield "x" + value


def relabelled(value: Any, key: str, old: str, new: str) -> Any:
    """A copy in which a label has another value wherever it stands."""
    changed = value
    for path, labels in list(maps(value)):
        if path and path[-1] in ("labels", "matchLabels", "selector") and labels.get(key) == old:
            changed = replaced(changed, (*path, key), new)
    return changed
