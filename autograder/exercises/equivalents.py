"""Variants that mean the same as a right answer, made by rule: none of them may lose a point.

Each rule takes the objects of an answer and yields changed ones; ``equivalents`` also writes them in other ways: JSON,
several files, other orders and styles of YAML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice, zip_longest
from typing import Any, Final

import yaml

from autograder.checks.meaning import as_quantity
from autograder.clusters import Object
from autograder.exercises.exercise import Answer
from autograder.exercises.rewriting import Path, at, leaves, maps, reordered, replaced

Objects = Sequence[Object]

#: Maps whose values are quantities.
QUANTITIES: Final = frozenset({"requests", "limits", "hard", "default", "defaultRequest", "max", "min"})
LABELS: Final = {"course.example/seen": "yes"}
LISTED: Final = ("containers", "initContainers")


def equivalents(objects: Objects) -> Iterator[tuple[str, Answer]]:
    """Named answers that mean the same as these objects."""
    for name, written in _writings(objects):
        yield name, written
    families = [list(rule(objects)) for rule in RULES]
    for family in families:
        for name, changed in family:
            yield name, Answer({"answer.yaml": as_yaml(changed)})
    for number, names in enumerate(islice(zip_longest(*families), 12)):
        combined, said = objects, []
        for rule in (rule for rule, chosen in zip(RULES, names, strict=True) if chosen):
            variants = list(rule(combined))
            if variants:
                name, combined = variants[number % len(variants)]
                said.append(name)
        yield " + ".join(said) or "as it is", Answer({"answer.json": as_json(combined)})


class _Quoting(yaml.Dumper):
    """Writes every text in quotes, names of fields too."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def as_yaml(objects: Objects, **style: Any) -> str:
    """The objects as a YAML stream."""
    text: str = yaml.dump_all(objects, sort_keys=False, explicit_start=True, **style)
    return text


def as_json(objects: Objects) -> str:
    """The objects as JSON: one, or a list of several."""
    if len(objects) == 1:
        return json.dumps(objects[0])
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _writings(objects: Objects) -> Iterator[tuple[str, Answer]]:
    text = as_yaml(objects)
    yield "block style", Answer({"answer.yaml": text})
    yield "flow style", Answer({"answer.yaml": as_yaml(objects, default_flow_style=True)})
    yield "quoted", Answer({"answer.yaml": as_yaml(objects, Dumper=_Quoting)})
    yield "narrow", Answer({"answer.yaml": as_yaml(objects, width=20)})
    yield "indented by four", Answer({"answer.yaml": as_yaml(objects, indent=4)})
    yield "Windows line ends", Answer({"answer.yaml": text.replace("\n", "\r\n")})
    yield "byte order mark", Answer({"answer.yaml": b"\xef\xbb\xbf" + text.encode()})
    yield "comments", Answer({"answer.yaml": "# mine\n" + text.replace("\n", "  # so\n", 1) + "# the end\n"})
    yield "trailing separators", Answer({"answer.yaml": f"---\n{text}---\n"})
    yield "JSON", Answer({"answer.json": as_json(objects)})
    yield "indented JSON", Answer({"answer.json": "\n".join(json.dumps(obj, indent=2) for obj in objects)})
    yield "keys reversed", Answer({"answer.yaml": as_yaml(reordered(list(objects)))})
    yield "keys sorted", Answer({"answer.yaml": yaml.safe_dump_all(objects, sort_keys=True)})
    if len(objects) > 1:
        yield "documents reversed", Answer({"answer.yaml": as_yaml(list(reversed(objects)))})
        files = {f"{number}-{obj['kind'].lower()}.yaml": as_yaml([obj]) for number, obj in enumerate(objects)}
        yield "several files", Answer(files)


def _respelled(objects: Objects) -> Iterator[tuple[str, Objects]]:
    """Each quantity in each other spelling."""
    for path, _ in leaves(list(objects)):
        if len(path) > 2 and path[-2] in QUANTITIES:
            value = at(list(objects), path)
            for spelling in spellings(value):
                yield f"{path[-1]}: {value} as {spelling!r}", _with(objects, path, spelling)


def spellings(value: Any) -> Iterator[str | int | float]:
    """Other ways to write a quantity."""
    quantity = as_quantity(value)
    if quantity is None:
        return
    exact = Fraction(quantity.unscaled) * Fraction(10) ** quantity.scale
    found: list[str | int | float] = []
    if exact.denominator == 1:
        found += [int(exact), str(int(exact)), f"{int(exact)}000m", f"{int(exact)}e0", f"{int(exact)}.0"]
        found += [f"{int(exact) // 1024**power}{unit}" for power, unit in ((1, "Ki"), (2, "Mi"), (3, "Gi"))
                  if int(exact) and int(exact) % 1024**power == 0]  # fmt: skip
    elif (exact * 1000).denominator == 1:
        found += [f"{int(exact * 1000)}m", float(exact), str(float(exact)), f"{int(exact * 1000)}e-3"]
    yield from (spelling for spelling in found if (type(spelling), spelling) != (type(value), value))


def _full_images(objects: Objects) -> Iterator[tuple[str, Objects]]:
    """Images of Docker Hub with the registry written out."""
    for prefix in ("docker.io/library/", "docker.io/", "index.docker.io/library/"):
        changed, count = objects, 0
        for path, value in leaves(list(objects)):
            if path[-1] == "image" and len(path) > 3 and path[-3] in LISTED and "/" not in value:
                changed, count = _with(changed, path, prefix + value), count + 1
        if count:
            yield f"images of {prefix}", changed


def _match_expressions(objects: Objects) -> Iterator[tuple[str, Objects]]:
    """``matchLabels`` as expressions."""
    for path, selector in maps(list(objects)):
        labels = selector.get("matchLabels")
        if path and path[-1] == "selector" and isinstance(labels, dict):
            expressions = [{"key": key, "operator": "In", "values": [value]} for key, value in labels.items()]
            changed = {key: value for key, value in selector.items() if key != "matchLabels"}
            changed["matchExpressions"] = [*changed.get("matchExpressions", []), *expressions]
            yield "matchExpressions", _with(objects, path, changed)


def _extra_labels(objects: Objects) -> Iterator[tuple[str, Objects]]:
    """A label or an annotation more, on the objects and on the Pods that they make."""
    for part in ("labels", "annotations"):
        for where, is_outer in (("objects", True), ("templates", False)):
            changed, count = objects, 0
            for path, meta in maps(list(objects)):
                if path[-1:] == ("metadata",) and (len(path) == 2) is is_outer:
                    changed = _with(changed, (*path, part), {**(meta.get(part) or {}), **LABELS})
                    count += 1
            if count:
                yield f"{part} more on the {where}", changed


def _nulls(objects: Objects) -> Iterator[tuple[str, Objects]]:
    """Fields that are written and say nothing."""
    for index in range(len(objects)):
        yield "annotations: null", _with(objects, (index, "metadata", "annotations"), None)
        yield "annotations: {}", _with(objects, (index, "metadata", "annotations"), {})


def _with(objects: Objects, path: Path, value: Any) -> Objects:
    changed: list[Object] = replaced(list(objects), path, value)
    return changed


Rule = Callable[[Objects], Iterator[tuple[str, Objects]]]
RULES: Final[tuple[Rule, ...]] = (_respelled, _full_images, _match_expressions, _extra_labels, _nulls)
