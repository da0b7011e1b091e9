"""Judging an answer: read it, apply it to a copy of a warm cluster, let the cluster work, run the checks.

    runner = Runner(open_cluster("embedded"))        # boots once
    verdict = runner.judge(load("pods/first-pod"), Answer({"pod.yaml": text}))

The API server has the last word on what a manifest may say; the schemas are asked only to explain its refusals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autograder.checks import (
    Case,
    Judged,
    Outcome,
    Result,
    Role,
    Sources,
    Status,
    Verdict,
    Where,
    block,
    place,
    run,
    verdict_of,
)
from autograder.checks.review import ObjectKey
from autograder.clusters import Cluster, Object, apply
from autograder.clusters.kinds import UnknownKind, kind_named
from autograder.controlplane.apimachinery.errors import AlreadyExists, StatusError
from autograder.exercises.confinement import OutOfBounds, check_size, in_order, trespasses
from autograder.exercises.deadlines import TimedOut, deadline
from autograder.exercises.exercise import Answer, Exercise, Kind
from autograder.manifests import Document, Manifest, Problem, check_schema, parse, parse_path, render_path

READABLE: Final = "readable"
ACCEPTED: Final = "accepted"
WHY_READABLE: Final = "Only what can be read can be sent to a cluster."
WHY_CONFINED: Final = "An answer touches what its exercise is about, and nothing else."
WHY_ACCEPTED: Final = "The API server checks every object before it stores it; what it refuses never exists."

#: Seconds of the cluster's time that the objects of ``setup.yaml`` get before the answer comes.
SETUP_SECONDS: Final = 60

#: Prepared clusters that are kept; with values drawn for each student there may be one for each.
PREPARED_LIMIT: Final = 100


class Unsupported(Exception):
    """The runner cannot judge answers of this kind yet."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cluster with an exercise's surroundings in it, and how they were before any answer."""

    cluster: Cluster
    before: dict[ObjectKey, Object]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what led to it; the audit looks at the notes."""

    verdict: Verdict
    judged: tuple[Judged, ...] = ()


class Runner:
    """Judges answers on forks of one warm cluster, which it never changes."""

    def __init__(self, cluster: Cluster) -> None:
        self._warm = cluster
        self._prepared: dict[tuple[object, ...], Prepared] = {}

    def judge(self, exercise: Exercise, answer: Answer) -> Verdict:
        """The verdict on an answer.  Whatever the answer holds, this returns; only ``Unsupported`` is raised."""
        return self.judgement(exercise, answer).verdict

    def judgement(self, exercise: Exercise, answer: Answer) -> Judgement:
        """As ``judge``, with the notes of every check."""
        if exercise.kind is not Kind.MANIFEST:
            raise Unsupported(f"{exercise.id}: answers of the kind {exercise.kind.value!r} cannot be judged yet")
        if _is_blank(answer):
            return _unjudged(exercise, Status.NOT_SUBMITTED, _entry(READABLE, "there is no answer yet", WHY_READABLE))
        manifests, problems = _read(exercise, answer)
        if problems:
            return _unjudged(exercise, Status.UNREADABLE, *[_of_problem(problem) for problem in problems])
        documents = in_order([document for manifest in manifests for document in manifest.documents])
        try:
            check_size(exercise, documents)
        except OutOfBounds as too_much:
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, _entry(ACCEPTED, str(too_much), WHY_CONFINED))
        judged: list[Judged] = []
        refusals: list[Result] = []
        try:
            with deadline(exercise.bounds.seconds):
                self._judge(exercise, documents, refusals, judged)
        except TimedOut:
            return _timed_out(exercise, [*refusals, *(one.result for one in judged)])
        except Exception as error:  # the cluster or the setup failed: never the student's fault, and never a silent 0
            message = f"could not be judged: {type(error).__name__}: {error}"
            failure = _entry(ACCEPTED, message, WHY_ACCEPTED, outcome=Outcome.COULD_NOT_BE_JUDGED)
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, *refusals, failure)
        return Judgement(verdict_of(exercise.id, [*refusals, *(one.result for one in judged)]), tuple(judged))

    def prepared(self, exercise: Exercise) -> Prepared:
        """The cluster with the exercise's namespaces and setup, made once for all who have the same."""
        key = (exercise.setup, exercise.namespaces, exercise.cluster_objects)
        if key not in self._prepared:
            if len(self._prepared) >= PREPARED_LIMIT:
                self._prepared.clear()
            self._prepared[key] = _prepare(exercise, self._warm.fork())
        return self._prepared[key]

    def case(self, exercise: Exercise, documents: Sequence[Document]) -> Case:
        """A fresh copy of the prepared cluster, as the checks see it."""
        prepared = self.prepared(exercise)
        sources = Sources(documents, exercise.namespaces[0])
        return Case(prepared.cluster.fork(), sources, exercise.namespaces[0], exercise.values, prepared.before)

    def _judge(
        self, exercise: Exercise, documents: list[Document], refusals: list[Result], judged: list[Judged]
    ) -> None:
        case = self.case(exercise, documents)
        accepted = 0
        for document in documents:
            refused = _apply(exercise, case.cluster, document)
            refusals.extend(refused)
            accepted += not refused
        case.cluster.settle()
        if accepted:
            for one in run(exercise.checks, case, show_wanted=exercise.shows_wanted):
                judged.append(one)
        else:
            refusals.extend(block(exercise.checks, ACCEPTED))


def judge(exercise: Exercise, answer: Answer, *, cluster: Cluster) -> Verdict:
    """The verdict on one answer, on a fork of ``cluster``; for many answers keep a ``Runner``."""
    return Runner(cluster).judge(exercise, answer)


def _prepare(exercise: Exercise, cluster: Cluster) -> Prepared:
    for namespace in exercise.namespaces:
        if f"Namespace/{namespace}" not in exercise.cluster_objects:
            try:
                cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            except AlreadyExists:
                continue
    cluster.settle()
    before: dict[ObjectKey, Object] = {}
    if exercise.setup:
        manifest = parse(exercise.setup, source="setup.yaml")
        if manifest.problems:
            raise ValueError(f"{exercise.id}: {manifest.problems[0]}")
        for document in in_order(manifest.documents):
            apply(cluster, document.value, exercise.namespaces[0])
        cluster.settle()
        cluster.advance(SETUP_SECONDS)
        for document in manifest.documents:
            namespace = (document.namespace or exercise.namespaces[0]) if kind_named(document.kind).namespaced else ""
            live = cluster.get(document.kind, document.name, namespace)
            before[document.kind, namespace, document.name] = live
    return Prepared(cluster, before)


def _is_blank(answer: Answer) -> bool:
    """Whether there is nothing in the answer but comments and blank lines."""
    for content in answer.files.values():
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        if any(not line.lstrip().startswith("#") and line.strip() not in ("", "---") for line in text.splitlines()):
            return False
    return True


def _read(exercise: Exercise, answer: Answer) -> tuple[list[Manifest], list[Problem]]:
    """The manifests of all files, and what makes them unreadable."""
    if len(answer.files) > exercise.bounds.files:
        message = f"the answer has {len(answer.files)} files, and at most {exercise.bounds.files} are read"
        return [], [Problem("error", message)]
    manifests, problems = [], []
    for name, content in answer.files.items():
        if not name.isprintable() or not name or name.startswith(".") or any(char in name for char in "/\\:"):
            message = f"{name!a} is no name for a file of an answer"
            problems.append(Problem("error", message, hint="use a plain name"))
            continue
        manifest = parse(content, source=name)
        manifests.append(manifest)
        problems += [problem for problem in manifest.problems if problem.severity == "error"]
    return manifests, problems


def _apply(exercise: Exercise, cluster: Cluster, document: Document) -> list[Result]:
    """Apply one document; what came of it if it was refused."""
    forbidden = list(trespasses(exercise, document))
    if forbidden:
        return [_entry(ACCEPTED, message, WHY_CONFINED, where=where) for message, where in forbidden]
    try:
        apply(cluster, document.value, exercise.namespaces[0])
    except UnknownKind as unknown:
        return _explained(document, str(unknown), place(document, ("kind",)))
    except StatusError as refusal:
        if refusal.code >= 500:
            raise
        return _explained(document, refusal.message, _place_of(document, refusal))
    return []


def _explained(document: Document, refusal: str, where: Where) -> list[Result]:
    """The API server's refusal, and what the schemas say about the same document with its places."""
    problems = [problem for problem in check_schema(document) if problem.severity == "error"]
    subject = f"{document.kind} {document.name}".strip() or "an object"
    said = f"the API server refused {subject}: {refusal}"
    if not problems:
        return [_entry(ACCEPTED, said, WHY_ACCEPTED, where=where)]
    return [_of_problem(problem, said) for problem in problems]


def _place_of(document: Document, refusal: StatusError) -> Where:
    """The field that the first cause of a refusal is about, else the beginning of the document."""
    causes = (refusal.details or {}).get("causes") or []
    fields = [cause["field"] for cause in causes if cause.get("field")]
    return place(document, parse_path(fields[0]) if fields else ())


def _of_problem(problem: Problem, refusal: str = "") -> Result:
    hint = f"; {problem.hint}" if problem.hint else ""
    path = render_path(problem.path)
    message = (f"{path}: " if path else "") + problem.message + hint + (f" ({refusal})" if refusal else "")
    where = Where(*problem.position, field=path) if problem.position else None
    return _entry(ACCEPTED if refusal else READABLE, message, WHY_ACCEPTED if refusal else WHY_READABLE, where=where)


def _entry(
    name: str, message: str, why: str, *, where: Where | None = None, outcome: Outcome = Outcome.FAILED
) -> Result:
    return Result(name, Role.GATE, outcome, 0, 0, message, where=where, why=why)


def _unjudged(exercise: Exercise, status: Status, *entries: Result) -> Judgement:
    """A verdict without points, which says why it has none."""
    results = (*entries, *block(exercise.checks, entries[-1].name))
    return Judgement(Verdict(exercise.id, status, results, exercise.points))


def _timed_out(exercise: Exercise, results: list[Result]) -> Judgement:
    """A verdict that stops where the time was up; what had been judged by then stands."""
    done = {result.name for result in results}
    message = f"the judgement took longer than {exercise.bounds.seconds:g} seconds and was stopped here"
    entry = _entry("in time", message, "A judgement has a limit, so that nobody waits for ever.")
    rest = block([check for check in exercise.checks if check.name not in done], entry.name)
    return Judgement(Verdict(exercise.id, Status.TIMED_OUT, (*results, entry, *rest), exercise.points))
