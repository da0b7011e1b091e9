"""Did you mean: names that are spelt nearly alike, and fields that belong to another place of the object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, TypeAlias

from autograder.manifests.problems import FieldPath
from autograder.manifests.schema import Schema, Schemas

#: The way to a field through the schema; the entries of a list are ``name[]``.
SchemaPath: TypeAlias = tuple[str, ...]

_ALIKE: Final = 0.75
_FARTHEST: Final = 5  # steps up and down to another place that is still worth naming
_DEEPEST: Final = 8
_LONGEST_NAME: Final = 100
_SHORTEST_PART: Final = 3
_NOT_FOR_PEOPLE: Final = frozenset({"status", "managedFields"})


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` is most likely a slip of: first another case, then a like spelling."""
    folded = {candidate.casefold(): candidate for candidate in candidates}
    wanted = name.casefold()[:_LONGEST_NAME]
    if wanted in folded:
        return folded[wanted]
    from difflib import get_close_matches  # needed for wrong manifests only, and slow to import

    found = get_close_matches(wanted, folded, n=1, cutoff=_ALIKE)
    return folded[found[0]] if found else None


def containing(name: str, candidates: Iterable[str]) -> str | None:
    """The only candidate that has ``name`` as a part: ``containerPort`` for ``port``; ``None`` if there are several."""
    wanted = name.casefold()
    found = [candidate for candidate in candidates if wanted in candidate.casefold()]
    return found[0] if len(found) == 1 and len(wanted) >= _SHORTEST_PART else None


def home_of(schemas: Schemas, definition: str, at: FieldPath, name: str) -> SchemaPath | None:
    """The part of the object that has a field ``name``, nearest to the map at ``at``; ``None`` if none is near."""
    here = _schema_path(at)
    best: SchemaPath | None = None
    nearest = _FARTHEST + 1
    for parent in _homes(schemas.version, definition).get(name, ()):
        distance = _distance(here, parent)
        if distance < nearest:
            best, nearest = parent, distance
    return best


@cache
def _homes(version: str, definition: str) -> Mapping[str, tuple[SchemaPath, ...]]:
    """Every field name of a kind, to the parts of the object that have such a field."""
    schemas = Schemas.of(version)
    homes: dict[str, tuple[SchemaPath, ...]] = {}
    for parent, names in _parts(schemas, schemas.definitions[definition], (), frozenset({definition})):
        for name in names:
            homes[name] = (*homes.get(name, ()), parent)
    return homes


def _parts(
    schemas: Schemas, schema: Schema, at: SchemaPath, above: frozenset[str]
) -> Iterator[tuple[SchemaPath, Iterable[str]]]:
    """Every map with fixed fields inside a schema; definitions that contain themselves are entered once."""
    properties = schema.get("properties", {})
    if properties:
        yield at, properties
    if len(at) >= _DEEPEST:
        return
    for name, field in properties.items():
        if name in _NOT_FOR_PEOPLE:
            continue
        step = name
        found, inner = schemas.resolve(field)
        if "items" in inner:
            step = f"{name}[]"
            found, inner = schemas.resolve(inner["items"])
        if found not in above:
            yield from _parts(schemas, inner, (*at, step), above | {found})


def _schema_path(path: FieldPath) -> SchemaPath:
    steps: list[str] = []
    for step in path:
        if isinstance(step, str):
            steps.append(step)
        elif steps:
            steps[-1] += "[]"
    return tuple(steps)


def _distance(here: SchemaPath, there: SchemaPath) -> int:
    common = 0
    for one, other in zip(here, there, strict=False):
        if one != other:
            break
        common += 1
    return len(here) + len(there) - 2 * common
