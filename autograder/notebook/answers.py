"""Answers as files in the student's folder: which names there may be, keeping them, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autograder.exercises import Exercise
from autograder.exercises.allowed import PLAIN_NAME
from autograder.grading.reports.cleaning import DEVICES
from autograder.manifests import Manifest, Problem, check_schema, parse, read_beginning

MANIFESTS: Final = (".yaml", ".yml", ".json")
COMMANDS: Final = (".txt",)
PREDICTIONS: Final = (".yaml", ".yml")
PROGRAMS: Final = (".py",)


class BadName(ValueError):
    """A file cannot be called so; the message says why."""


def plain_name(name: str, endings: tuple[str, ...] = MANIFESTS) -> str:
    """The name, if it is a plain one with one of the endings.  Raises ``BadName``."""
    if not PLAIN_NAME.fullmatch(name) or DEVICES.fullmatch(name):
        raise BadName(f"{name!a} is no plain file name: use letters, digits, dots and dashes, and no folders")
    if not name.endswith(endings):
        raise BadName(f"{name!a} does not end in {' or '.join(endings)}")
    return name


def keep(folder: Path, name: str, text: str, endings: tuple[str, ...] = MANIFESTS) -> Path:
    """Write an answer.  Raises ``BadName``."""
    path = folder / plain_name(name, endings)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8", newline="\n")
    return path


def answer_to(exercise: str, folder: Path) -> dict[str, bytes]:
    """What the folder holds for an exercise, by name: files called by the last part of its id; perhaps none."""
    name = exercise.rpartition("/")[2]
    paths = (folder / f"{name}{ending}" for ending in (*MANIFESTS, *COMMANDS, *PROGRAMS))
    return {path.name: read_beginning(path) for path in paths if path.is_file()}


def is_untouched(exercise: Exercise, folder: Path) -> bool:
    """Whether the answer is what the student began with."""
    starter = exercise.starter.strip().encode()
    return any(text.strip() == starter for text in answer_to(exercise.id, folder).values())


def is_blank(text: str) -> bool:
    """Whether there is nothing in a manifest but comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def objects(manifest: Manifest) -> str:
    """What a manifest is about, in one line: ``Pod web, Service web``."""
    return ", ".join(f"{document.kind or 'an object'} {document.name}".strip() for document in manifest.documents)


def read(name: str, text: str) -> tuple[Manifest, list[Problem]]:
    """The manifest of a text, and everything that is wrong with it, in the order of the text."""
    manifest = parse(text, source=name)
    found = [*manifest.problems, *(problem for document in manifest.documents for problem in check_schema(document))]
    return manifest, sorted(found, key=lambda problem: problem.position or ("", 0, 0))


def explained(problem: Problem, text: str) -> Iterator[str]:
    """A problem, the line of the text where it is, and a mark under the place."""
    yield str(problem)
    if problem.position is None:
        return
    lines = text.splitlines()
    _, line, column = problem.position
    if line <= len(lines) and lines[line - 1].isprintable() and len(lines[line - 1]) <= 120:
        yield f"{line:6} | {lines[line - 1]}"
        yield f"       | {' ' * (column - 1)}^"
