"""Rules for paths and modes of files that volumes put into containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path

Object = Mapping[str, Any]

MODE_WORDS: Final = "must be a number between 0 and 0777 (octal), both inclusive"


def file_mode(mode: int | None, path: Path) -> Iterator[FieldError]:
    """The permission bits of a file, if given."""
    if mode is not None and not 0 <= mode <= 0o777:
        yield field.invalid(path, mode, MODE_WORDS)


def no_backsteps(target: str, path: Path) -> Iterator[FieldError]:
    """A path that does not climb."""
    if ".." in target.split("/"):
        yield field.invalid(path, target, "must not contain '..'")


def relative_path(target: str, path: Path) -> Iterator[FieldError]:
    """A path within a folder."""
    if target.startswith("/"):
        yield field.invalid(path, target, "must be a relative path")
    yield from no_backsteps(target, path)


def plain_path(target: str, path: Path) -> Iterator[FieldError]:
    """A path within a folder whose name is not one of those that volumes use for themselves."""
    yield from relative_path(target, path)
    if target.startswith("..") and not target.startswith("../"):
        yield field.invalid(path, target, "must not start with '..'")


def keys_to_paths(items: list[Object], path: Path) -> Iterator[FieldError]:
    """Which keys of a ConfigMap or Secret become which files."""
    for position, item in enumerate(items):
        yield from key_to_path(item, path.index(position))


def key_to_path(item: Object, path: Path) -> Iterator[FieldError]:
    """One key and the file it becomes."""
    if not item["key"]:
        yield field.required(path.child("key"))
    if not item["path"]:
        yield field.required(path.child("path"))
    yield from plain_path(item["path"], path.child("path"))
    yield from file_mode(item.get("mode"), path.child("mode"))
