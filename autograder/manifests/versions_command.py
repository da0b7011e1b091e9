"""The command ``autograder versions``: which versions of Kubernetes take these manifests, and why others do not."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence

from autograder.manifests.manifest import parse, read_beginning
from autograder.manifests.problems import Problem
from autograder.manifests.schema import UnknownVersion
from autograder.manifests.versions import VersionVerdict, judge_versions, ranges, versions_between

ACCEPTED, REFUSED, NOT_JUDGED = 0, 1, 2


def versions(args: argparse.Namespace) -> int:
    """Ask every version; 0 if all accept every object, 1 if one refuses one, 2 if something could not be judged."""
    try:
        asked = versions_between(args.first, args.last)
        contents = {str(path): read_beginning(path) for path in args.files}
    except (UnknownVersion, OSError) as error:
        print(f"autograder versions: {error}", file=sys.stderr)
        return NOT_JUDGED
    problems, verdicts = judge_files(contents, asked)
    print(json.dumps(as_json(asked, problems, verdicts), indent=2) if args.json else as_text(asked, problems, verdicts))
    if any(verdict.refused for verdict in verdicts):
        return REFUSED
    return NOT_JUDGED if problems or not all(verdict.judged for verdict in verdicts) else ACCEPTED


def judge_files(
    contents: Mapping[str, str | bytes], asked: Sequence[str]
) -> tuple[list[Problem], list[VersionVerdict]]:
    """What is wrong with the texts of the files, by name, and what these versions say of the objects in them."""
    problems: list[Problem] = []
    verdicts: list[VersionVerdict] = []
    for name, content in contents.items():
        manifest = parse(content, source=name)
        problems.extend(problem for problem in manifest.problems if problem.severity == "error")
        verdicts.extend(judge_versions(document, asked) for document in manifest.documents)
    return problems, verdicts


def as_json(asked: Sequence[str], problems: Iterable[Problem], verdicts: Sequence[VersionVerdict]) -> dict[str, object]:
    """The findings as plain data; ``accepted`` at the top are the versions that take every object."""
    return {
        "versions": list(asked),
        "accepted": _accepted_by_all(asked, verdicts),
        "unreadable": [str(problem) for problem in problems],
        "objects": [verdict.to_json() for verdict in verdicts],
    }


def as_text(asked: Sequence[str], problems: Iterable[Problem], verdicts: Sequence[VersionVerdict]) -> str:
    """The findings for people: a paragraph for each object, and a line about all of them."""
    lines = [f"cannot be read: {problem}" for problem in problems]
    for verdict in verdicts:
        lines.append(f"{_title(verdict)}: {_outcome(verdict)}")
        lines.extend(f"    {refusal}" for refusal in verdict.refusals)
        if verdict.note:
            lines.append(f"    note: {verdict.note}")
    if len(verdicts) > 1:
        taken = _accepted_by_all(asked, verdicts)
        lines.append(f"all {len(verdicts)} objects: accepted by {ranges(taken) if taken else 'no version'}")
    return "\n".join(lines)


def _title(verdict: VersionVerdict) -> str:
    document = verdict.document
    place = document.nearest_position(())
    what = " ".join(part for part in (document.api_version, document.kind, document.name) if part)
    return f"{place.file}:{place.line}: {what or 'an object'}"


def _outcome(verdict: VersionVerdict) -> str:
    if not verdict.judged:
        return "could not be judged"
    if not verdict.refused:
        return f"accepted by {ranges(verdict.accepted)}"
    if not verdict.accepted:
        return f"refused by {ranges(verdict.refused)}"
    return f"accepted by {ranges(verdict.accepted)}, refused by {ranges(verdict.refused)}"


def _accepted_by_all(asked: Sequence[str], verdicts: Iterable[VersionVerdict]) -> list[str]:
    refused = {version for verdict in verdicts for version in verdict.refused}
    return [version for version in asked if version not in refused]
