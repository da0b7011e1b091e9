"""Which versions of Kubernetes take an object, and what the others say against it.

    for verdict in (judge_versions(document) for document in parse(text).documents):
        verdict.accepted, verdict.refusals

The published schemas of every version are asked (``check_schema``), and what is peculiar to some versions is told as
history: an API that is gone and what replaces it, a kind or a field that is not known yet. The history is read out of
the schemas themselves, so it begins with the oldest version of which there is one.

A schema knows a field or an API from its alpha version on, whether or not a cluster has switched it on; and the
values that an enumeration may have are those of v1.36 for every version, since no schema lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from autograder.manifests.check import UNKNOWN_FIELD, check_schema
from autograder.manifests.manifest import Document
from autograder.manifests.problems import FieldPath, Position, Problem, render_path
from autograder.manifests.schema import DEFAULT_VERSION, Schemas, UnknownVersion, available_versions

#: ``removed``: it is gone since; ``new``: it is not known yet; ``unknown``: no version knows it; ``invalid``: it has
#: another type or value than these versions want, or lacks a field that they require.
Reason: TypeAlias = Literal["removed", "new", "unknown", "invalid"]

_OFF_BY_DEFAULT: Final = "an alpha API, which a cluster serves only if it was switched on"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that some versions refuse; ``versions`` oldest first, ``hint`` may be empty."""

    versions: tuple[str, ...]
    reason: Reason
    message: str
    hint: str = ""
    path: FieldPath = ()
    position: Position | None = None

    def __str__(self) -> str:
        """``1.25-1.26: pod.yaml:9:7: spec.containers[0].resizePolicy: not known before 1.27``."""
        return f"{ranges(self.versions)}: {Problem('error', self.message, self.position, self.path, self.hint)}"

    def to_json(self) -> dict[str, Any]:
        """The refusal as plain data; ``line`` and ``column`` count from 1 and are null where there is no place."""
        place = self.position
        return {
            "versions": list(self.versions),
            "reason": self.reason,
            "path": render_path(self.path),
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class VersionVerdict:
    """What the versions that were asked say of one object.

    ``note`` says what else there is to know; of an object of a kind that no version has (``judged`` is false) nothing
    is known, since a custom resource definition may add it.
    """

    document: Document = field(repr=False)
    accepted: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    judged: bool = True
    note: str = ""

    @property
    def refused(self) -> tuple[str, ...]:
        """The versions that refuse the object, oldest first."""
        refusing = {version for refusal in self.refusals for version in refusal.versions}
        return tuple(version for version in available_versions() if version in refusing)

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain data."""
        place = self.document.nearest_position(())
        return {
            "apiVersion": self.document.api_version,
            "kind": self.document.kind,
            "name": self.document.name,
            "file": place.file,
            "line": place.line,
            "judged": self.judged,
            "accepted": list(self.accepted),
            "refused": list(self.refused),
            "refusals": [refusal.to_json() for refusal in self.refusals],
            "note": self.note,
        }


def versions_between(first: str = "", last: str = "") -> tuple[str, ...]:
    """The versions from ``first`` to ``last``, both included; each may be left out, or be written ``v1.27.3``.

    Raises ``UnknownVersion`` for a version of which there is no schema, and for an empty range.
    """
    known = available_versions()
    begin, end = Schemas.of(first or known[0]).version, Schemas.of(last or known[-1]).version
    if known.index(begin) > known.index(end):
        raise UnknownVersion(f"no version lies between {begin} and {end}: the second one is older")
    return known[known.index(begin) : known.index(end) + 1]


def judge_versions(document: Document, versions: Sequence[str] | None = None) -> VersionVerdict:
    """What these versions (as ``available_versions`` writes them; all of them if left out) say of the object."""
    asked = tuple(versions if versions is not None else available_versions())
    serving = tuple(v for v in available_versions() if Schemas.of(v).lookup(document.api_version, document.kind))
    if not serving and not _lives_elsewhere(document):
        return _of_unknown_kind(document, asked)
    found: list[Refusal] = []
    for version in asked:
        if version in serving:
            found.extend(_of_problem(document, problem, version, serving) for problem in _errors(document, version))
        else:
            found.append(_without_kind(document, version, serving))
    refusals = _merged(found)
    refusing = {version for refusal in refusals for version in refusal.versions}
    note = _OFF_BY_DEFAULT if "alpha" in document.api_version else ""
    return VersionVerdict(document, tuple(v for v in asked if v not in refusing), refusals, note=note)


def ranges(versions: Sequence[str]) -> str:
    """Versions in short, ``1.25-1.28, 1.31``; those between which there is no other one are joined."""
    known = available_versions()
    runs: list[list[str]] = []
    for version in sorted(versions, key=known.index):
        if runs and known.index(version) == known.index(runs[-1][-1]) + 1:
            runs[-1].append(version)
        else:
            runs.append([version])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _lives_elsewhere(document: Document) -> bool:
    """Whether some version has the kind in another group, or in another version of its group."""
    return any(Schemas.of(version).api_versions_of(document.kind) for version in available_versions())


def _errors(document: Document, version: str) -> list[Problem]:
    return [problem for problem in check_schema(document, version) if problem.severity == "error"]


def _of_unknown_kind(document: Document, asked: tuple[str, ...]) -> VersionVerdict:
    """An object without a kind, of a misspelt one, or of one that is not Kubernetes' own."""
    problems = check_schema(document, DEFAULT_VERSION)
    refusals = tuple(
        Refusal(asked, "unknown" if problem.path == ("kind",) else "invalid", problem.message, problem.hint,
                problem.path, problem.position)
        for problem in problems if problem.severity == "error"
    )  # fmt: skip
    if refusals:
        return VersionVerdict(document, (), refusals)
    note = "; ".join(f"{problem.message}; {problem.hint}" for problem in problems)
    return VersionVerdict(document, (), (), judged=False, note=note)


def _of_problem(document: Document, problem: Problem, version: str, serving: tuple[str, ...]) -> Refusal:
    """A problem with a field; if it is unknown in this version, whether others know it."""
    refusal = Refusal((version,), "invalid", problem.message, problem.hint, problem.path, problem.position)
    if problem.message != UNKNOWN_FIELD:
        return refusal
    knowing = tuple(v for v in serving if Schemas.of(v).field(document.api_version, document.kind, problem.path))
    if not knowing:
        return replace(refusal, reason="unknown")
    reason, message = _history(version, knowing)
    return replace(refusal, reason=reason, message=message, hint="")


def _without_kind(document: Document, version: str, serving: tuple[str, ...]) -> Refusal:
    """This version does not have the kind in the object's apiVersion."""
    reason: Reason = "unknown"
    message = f"no version since {available_versions()[0]} has {document.kind} in {document.api_version}"
    if serving:
        reason, message = _history(version, serving)
        message = f"{document.kind} in {document.api_version} is {message}"
    position = document.position(("apiVersion",))
    return Refusal((version,), reason, message, _replacement(document, version), ("apiVersion",), position)


def _history(version: str, knowing: tuple[str, ...]) -> tuple[Reason, str]:
    """What to say in a version that does not know what others know; ``knowing`` is oldest first."""
    known = available_versions()
    later = [v for v in knowing if known.index(v) > known.index(version)]
    if later:
        return "new", f"not known before {later[0]}"
    return "removed", f"gone since {known[known.index(knowing[-1]) + 1]}"


def _replacement(document: Document, version: str) -> str:
    """Where this version has the kind: rather in the same group, rather stable."""
    found = Schemas.of(version).api_versions_of(document.kind)
    if not found:
        return "no other group or version has this kind either"
    group = document.api_version.rpartition("/")[0]
    best = min(found, key=lambda candidate: candidate.rpartition("/")[0] != group)
    since = ranges([v for v in available_versions() if Schemas.of(v).lookup(best, document.kind)])
    return f"write `apiVersion: {best}`, known in {since}"


def _merged(found: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """The same refusal by several versions becomes one; in reading order."""
    merged: dict[Refusal, list[str]] = {}
    for refusal in found:
        merged.setdefault(replace(refusal, versions=()), []).extend(refusal.versions)
    refusals = [replace(refusal, versions=tuple(versions)) for refusal, versions in merged.items()]
    return tuple(sorted(refusals, key=lambda refusal: refusal.position or Position("", 0, 0)))  # stable: oldest first
