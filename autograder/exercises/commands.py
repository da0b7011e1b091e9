"""The commands ``autograder check`` and ``autograder audit``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from autograder.exercises.audit import Auditor
    from autograder.exercises.audit_report import Report
    from autograder.exercises.exercise import Answer, Exercise

FULL_MARKS, NOT_FULL_MARKS, NOT_JUDGED = 0, 1, 2

#: Findings that are printed of one exercise; one mistake has many.
FINDINGS_SHOWN: Final = 12


def check(args: argparse.Namespace) -> int:
    """Judge one answer; 0 for full marks, 1 for less, 2 if it could not be judged."""
    from autograder.checks import Status
    from autograder.checks.rendering import as_text
    from autograder.clusters import ClusterError, open_cluster
    from autograder.exercises import Answer, BadExercise, Runner, Unsupported
    from autograder.exercises.sheets import feedback, load_own

    try:
        exercise = load_own(args.exercise)
        answer = Answer(_read(args.files))
        runner = Runner(open_cluster(args.cluster), allow_python=args.allow_python)
        verdict = feedback(exercise, runner.judge(exercise, answer))
    except (BadExercise, ClusterError, Unsupported, OSError) as error:
        print(f"autograder check: {error}", file=sys.stderr)
        return NOT_JUDGED
    told, section = _of_versions(exercise, answer) if args.versions else ({}, "")
    print(json.dumps({**verdict.to_json(), **told}, indent=2) if args.json else as_text(verdict) + section)
    if verdict.is_full:
        return FULL_MARKS
    judged = (Status.GRADED, Status.NOT_SUBMITTED, Status.UNREADABLE)
    return NOT_FULL_MARKS if verdict.status in judged else NOT_JUDGED


def _of_versions(exercise: Exercise, answer: Answer) -> tuple[dict[str, object], str]:
    """What every version of Kubernetes says of an answer that is manifests, as data and as text; it earns nothing."""
    from autograder.exercises.exercise import Form
    from autograder.manifests.versions import versions_between
    from autograder.manifests.versions_command import as_json, as_text, judge_files

    if exercise.form is not Form.MANIFEST:
        return {"versions": None}, "\n\nVersions of Kubernetes are only asked about manifests."
    asked = versions_between()
    found = judge_files(answer.files, asked)
    return {"versions": as_json(asked, *found)}, f"\n\nVersions of Kubernetes\n{as_text(asked, *found)}"


def audit(args: argparse.Namespace) -> int:
    """Prove exercises; 0 if all is well, 1 if anything was found, 2 if an exercise or the cluster cannot be used."""
    from autograder.clusters import ClusterError
    from autograder.exercises import BadExercise, exercise_ids

    exercises = args.exercises or exercise_ids()
    if not exercises:
        print("autograder audit: there are no exercises here", file=sys.stderr)
        return NOT_JUDGED
    reports = []
    begun = time.perf_counter(), os.times()
    try:
        with _pool(min(args.workers, len(exercises))) as audited:
            _progress(f"[0/{len(exercises)}] starting ...")
            for number, report in enumerate(audited(partial(_audit_one, args.cluster), _longest_first(exercises)), 1):
                _progress("")
                _print_report(report)
                _progress(f"[{number}/{len(exercises)}] ...")
                reports.append(report)
        _progress("")
    except (BadExercise, ClusterError) as error:
        _progress("")
        print(f"autograder audit: {error}", file=sys.stderr)
        return NOT_JUDGED
    return _summary(reports, time.perf_counter() - begun[0], _worked(begun[1]))


@contextmanager
def _pool(workers: int) -> Iterator[Callable[..., Iterable[Report]]]:
    """A ``map`` that works in this process or, with more than one worker, in several."""
    if workers <= 1:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as pool:
        try:
            yield pool.map
        finally:
            pool.shutdown(cancel_futures=True)


def _longest_first(exercises: Sequence[str]) -> list[str]:
    """The exercises by the length of their solutions, which says how many variants are made of it and what they cost.

    So all workers come to their end at about the same time.
    """
    from autograder.exercises import load

    return sorted(exercises, key=lambda exercise: -len(load(exercise).solution))


def _audit_one(spec: str, exercise: str) -> Report:
    from autograder.exercises import load

    return _auditor(spec).audit(load(exercise))


@cache
def _auditor(spec: str) -> Auditor:
    """The auditor of this process, its clusters booted; the second one throws other dice."""
    from autograder.clusters import Capability, ClusterError, open_cluster
    from autograder.exercises.audit import Auditor

    cluster = open_cluster(spec)
    if Capability.FORK not in cluster.capabilities:
        cluster.close()
        raise ClusterError(
            f"thousands of answers are audited on copies of a cluster, and {spec} cannot be copied; "
            f"compare its verdicts with those of the embedded one: autograder parity --cluster {spec}"
        )
    return Auditor(cluster, open_cluster(spec, seed=1))


def _print_report(report: Report) -> None:
    state = f"{len(report.findings)} findings" if report.findings else "ok"
    figures = f"right answers {report.rightful}, wrong answers {report.wrongful}, {report.seconds:.1f} s"
    print(f"{report.exercise:32} {state:12} {figures}")
    for finding in report.findings[:FINDINGS_SHOWN]:
        print(f"    {finding}")
    if len(report.findings) > FINDINGS_SHOWN:
        print(f"    ... and {len(report.findings) - FINDINGS_SHOWN} more")


def _worked(begun: os.times_result) -> float:
    """Seconds of processor time since then, of this process and of those that it started and that have ended."""
    return sum(os.times()[:4]) - sum(begun[:4])


def _summary(reports: Sequence[Report], seconds: float, worked: float) -> int:
    from autograder.exercises.audit_report import score

    rightful, wrongful = score(reports)
    findings = sum(len(report.findings) for report in reports)
    rejected = rightful.judged - rightful.right
    print(
        f"\n{len(reports)} exercises, {rightful.judged + wrongful.judged} answers: "
        f"mutation score {wrongful.right / wrongful.judged:.1%} ({wrongful} wrong answers found out), "
        f"false rejects {rejected / rightful.judged:.1%} ({rejected} of {rightful.judged} right answers), "
        f"{findings} findings, {seconds:.0f} s ({worked:.0f} s of processor time)"
    )
    return NOT_FULL_MARKS if findings else FULL_MARKS


def _progress(text: str) -> None:
    """Say on a terminal what is being done; the next text takes its place."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _read(files: Sequence[str]) -> dict[str, str | bytes]:
    """The files of an answer by their base names; two of one name are told apart by a number in front."""
    from autograder.manifests import read_beginning

    contents: dict[str, str | bytes] = {}
    for number, file in enumerate(files, 1):
        path = Path(file)
        if not path.is_file():
            raise OSError(f"{file} is no file" if path.exists() else f"there is no file {file}")
        contents[path.name if path.name not in contents else f"{number}-{path.name}"] = read_beginning(path)
    return contents
