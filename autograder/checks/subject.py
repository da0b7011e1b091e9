"""What a check looks at: a live object, and fields of it that are compared by meaning.

Every comparison either holds, and is noted as proved, or raises ``Failed`` with wanted, found and where.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from autograder.checks.findings import Failed
from autograder.checks.meaning import as_quantity, same_image, selector_matches, shown
from autograder.checks.paths import MISSING, entry_key, look_up, render, steps
from autograder.checks.verdict import Where
from autograder.clusters import Object

if TYPE_CHECKING:
    from autograder.checks.review import Review


class Subject:
    """One live object as the API server has it, defaults filled in."""

    def __init__(self, review: Review, obj: Object) -> None:
        self.review = review
        self.object = obj
        self.kind: str = obj["kind"]
        self.name: str = obj["metadata"]["name"]
        self.namespace: str = obj["metadata"].get("namespace", "")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.object["metadata"].get("labels") or {}

    def field(self, path: str) -> Field:
        """The field at a path such as ``spec.containers[web].image``; it may be missing."""
        return Field(self, steps(path))

    def at(self, path: tuple[str, ...]) -> Field:
        """The field at a path that is already taken apart."""
        return Field(self, path)

    def container(self, name: str | None = None) -> Field:
        """The container of this name in the object's Pod or Pod template; without a name, the only one there is."""
        holder = "spec.containers" if self.kind == "Pod" else "spec.template.spec.containers"
        containers = self.field(holder)
        if name is not None:
            return containers.entry(name)
        found = containers.names()
        if len(found) != 1:
            raise Failed(
                f"{self} has {len(found)} containers, and the task asks for one",
                wanted="one container", found=", ".join(found), where=containers.where,
            )  # fmt: skip
        return Field(self, (*containers.path, found[0]))

    def refreshed(self) -> Subject:
        """The object as it is now."""
        return self.review.object(self.kind, self.name, self.namespace)


class Field:
    """A field of a live object.  ``value`` is ``MISSING`` if it is not there."""

    def __init__(self, subject: Subject, path: tuple[str, ...]) -> None:
        self.subject = subject
        self.path = path
        self.value = look_up(subject.object, path)

    def __str__(self) -> str:
        return f"{render(self.path)} of {self.subject}"

    @property
    def where(self) -> Where | None:
        """The place in the answer, or None if the object is not the student's."""
        subject = self.subject
        return subject.review.sources.where(subject.kind, subject.name, subject.namespace, self.path)

    def field(self, path: str) -> Field:
        """A field inside this one."""
        return Field(self.subject, self.path + steps(path))

    def key(self, key: str) -> Field:
        """The entry of a map whose key may hold dots: ``labels``, ``hard``, ``data``."""
        return Field(self.subject, (*self.path, key))

    def requested(self, resource: str) -> Field:
        """What a container requests of ``cpu``, ``memory``, ...: as in the API, its limit if it says nothing."""
        stated, limit = self.field("resources.requests").key(resource), self.field("resources.limits").key(resource)
        return limit if stated.value is MISSING and limit.value is not MISSING else stated

    def names(self) -> list[str]:
        """What the entries of this list are known by."""
        entries = self.value if isinstance(self.value, list) else []
        return [key for entry in entries if (key := entry_key(entry)) is not None]

    def entry(self, name: str) -> Field:
        """The entry of this list that is known by ``name``; fails with the names that there are."""
        self.subject.review.notes.names.append(name)
        found = Field(self.subject, (*self.path, name))
        if found.value is MISSING:
            raise Failed(
                f"{self} has no entry named {name}{did_you_mean(name, self.names())}",
                wanted=name, found=", ".join(self.names()) or "none", where=self.where,
            )  # fmt: skip
        return found

    def equals(self, wanted: Any) -> None:
        """Holds exactly this value: a number, a text, true or false; for quantities and images there are others."""
        self._require(type(self.value) is type(wanted) and self.value == wanted, wanted)

    def is_one_of(self, wanted: Iterable[Any]) -> None:
        """Holds one of several values."""
        options = list(wanted)
        self._require(self.value in options, " or ".join(shown(option) for option in options), expects=())

    def at_least(self, wanted: int) -> None:
        """Holds this number or a larger one."""
        held = isinstance(self.value, int) and self.value >= wanted
        self._require(held, f"at least {wanted}", expects=(wanted,))

    def at_most(self, wanted: int) -> None:
        """Holds this number or a smaller one."""
        held = isinstance(self.value, int) and self.value <= wanted
        self._require(held, f"at most {wanted}", expects=(wanted,))

    def is_quantity(self, wanted: str) -> None:
        """Means the same amount: ``1`` and ``1000m``, ``1Gi`` and ``1024Mi``."""
        found = as_quantity(self.value)
        self._require(found is not None and found == as_quantity(wanted), wanted)

    def is_image(self, wanted: str) -> None:
        """Names the same image: ``nginx`` and ``docker.io/library/nginx:latest``."""
        self._require(same_image(self.value, wanted), wanted)

    def includes(self, wanted: Mapping[str, str]) -> None:
        """Is a map with at least these entries (labels, annotations, a node selector)."""
        found = self.value if isinstance(self.value, Mapping) else {}
        self._require(wanted.items() <= found.items(), wanted)

    def is_set(self, wanted: Iterable[Any]) -> None:
        """Is a list of exactly these values in any order."""
        values = list(wanted)
        found = self.value if isinstance(self.value, list) else []
        self._require(len(found) == len(values) and all(value in found for value in values), values)

    def selects(self, labels: Mapping[str, str]) -> None:
        """Is a selector that selects Pods with these labels, and none that lacks one of them."""
        held = selector_matches(self.value, labels) and not any(
            selector_matches(self.value, {key: value for key, value in labels.items() if key != left_out})
            for left_out in labels
        )
        self._require(held, labels)

    def is_present(self) -> None:
        """Is set at all."""
        self._require(self.value is not MISSING, "a value", expects=())

    def is_missing(self) -> None:
        """Is not set."""
        self._require(self.value is MISSING, "nothing", expects=())

    def satisfies(self, predicate: Callable[[Any], bool], wanted: str) -> None:
        """Holds a value for which ``predicate`` is true; ``wanted`` says in words what that is."""
        self._require(self.value is not MISSING and predicate(self.value), wanted, expects=())

    def _require(self, held: bool, wanted: Any, *, expects: Iterable[Any] | None = None) -> None:
        review = self.subject.review
        review.looked_at(self)
        for expected in [wanted] if expects is None else expects:
            review.expects(expected)
        if held:
            review.proved(f"{self} is {shown(wanted)}")
            return
        if self.value is MISSING:
            raise Failed(f"{self} is not set", wanted=shown(wanted), found="nothing", where=self.where)
        raise Failed(
            f"{self} is {shown(self.value)}, which is not what the task asks for",
            wanted=shown(wanted), found=shown(self.value), where=self.where,
        )  # fmt: skip


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; there is web, db (did you mean web?)``: the names that exist, and the nearest."""
    names = sorted(set(known))
    if not names:
        return ""
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    near = difflib.get_close_matches(name, names, 1)
    return f"; there is {listed}" + (f" (did you mean {near[0]}?)" if near and len(names) > 1 else "")
