"""What is wrong with a manifest and where: positions, field paths, problems.

A field path is a tuple of names and indexes, ``("spec", "containers", 0, "image")``; people and Kubernetes write it
``spec.containers[0].image``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
Severity: TypeAlias = Literal["error", "warning"]


class Position(NamedTuple):
    """A place in a file; line and column count characters from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: ``message`` says what, ``hint`` (may be empty) says what to do about it.

    ``position`` is ``None`` when the problem has no place, for instance an empty manifest; ``path`` is empty when it
    concerns no one field.
    """

    severity: Severity
    message: str
    position: Position | None = None
    path: FieldPath = ()
    hint: str = ""

    def __str__(self) -> str:
        """``pod.yaml:7:9: spec.container: unknown field; did you mean "containers"?``"""
        text = f"{self.message}; {self.hint}" if self.hint else self.message
        if self.path:
            text = f"{render_path(self.path)}: {text}"
        return f"{self.position}: {text}" if self.position else text


_NAME = re.compile(r"[A-Za-z_$][\w$-]*")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


def render_path(path: FieldPath) -> str:
    """The path as Kubernetes writes it: ``spec.ports[0].name``, ``metadata.labels[app.kubernetes.io/name]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _NAME.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text


def parse_path(text: str) -> FieldPath:
    """The path that Kubernetes wrote as ``text``, for instance the field of a cause in a ``Status``.

    A number in brackets is read as an index: the rare map key that is a number, ``data[80]``, is found all the same
    by ``Document.position``.
    """
    path: list[str | int] = []
    for name, bracket in _STEP.findall(text):
        if name:
            path.append(name)
        else:
            path.append(int(bracket) if bracket.isdecimal() else bracket)
    return tuple(path)
