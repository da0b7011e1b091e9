"""Reading exercises from their folders, with errors that tell an author what to do.

The checks of an exercise are Python that the course's authors wrote; loading an exercise runs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from autograder.checks.declaring import BadCheck, Check
from autograder.exercises.exercise import LEADING, Bounds, Difficulty, Exercise, Form, Kind, points_of
from autograder.exercises.parameters import BadParameter, Parameter, defaults
from autograder.exercises.questions import BadQuestion, Question, starter

REQUIRED: Final = ("title", "points", "minutes", "kind")
OPTIONAL: Final = ("answer", "difficulty", "namespaces", "cluster_objects", "parameters", "questions", "wanted")
TASK, CHECKS, HINTS, SETUP = "task.md", "checks.py", "hints.md", "setup.yaml"
PREPARE, EXPERIMENT = "setup.py", "experiment.py"
#: Seconds of wall time for the judgement of answers in which processes are started.
COMMANDS_SECONDS: Final = 60
STARTING_PROCESSES: Final = (Kind.COMMANDS, Kind.TROUBLESHOOT, Kind.PYTHON)
#: Folders of other answers; those of some kinds may be of several forms.
VARIANTS: Final = ("accepted", "mutants")
IGNORED: Final = frozenset({"__pycache__", ".ipynb_checkpoints", ".DS_Store"})

Choice = TypeVar("Choice", bound=Enum)


class BadExercise(ValueError):
    """An exercise cannot be loaded; the message says what its author has to change."""


def exercises_root() -> Path:
    """The course's exercises: those of ``AUTOGRADER_EXERCISES``, of this folder or one above, or beside the package."""
    chosen = os.environ.get("AUTOGRADER_EXERCISES")
    if chosen:
        return Path(chosen)
    here = Path.cwd()
    courses = [course for folder in (here, *here.parents) for course in (folder / "course", folder)]
    places = [course / "exercises" for course in courses if course.name == "course" or (course / "source").is_dir()]
    return next((place for place in places if place.is_dir()), Path(__file__).parents[2] / "course" / "exercises")


def exercise_ids(root: Path | None = None) -> list[str]:
    """The ids of all exercises, such as ``pods/first-pod``, in order."""
    base = root or exercises_root()
    return sorted(path.parent.relative_to(base).as_posix() for path in base.glob(f"*/*/{TASK}"))


def load(exercise: str, root: Path | None = None, values: Mapping[str, str | int] | None = None) -> Exercise:
    """The exercise of an id or a folder, its parameters at their defaults but for ``values``."""
    folder = _folder(exercise, root or exercises_root())
    texts = dict(_texts(folder))
    _require(TASK, texts, exercise)
    matter, texts[TASK] = _front_matter(texts[TASK], exercise)
    kind = _one_of(Kind, matter, "kind", exercise)
    form = _form(matter, kind, exercise)
    questions = _questions(matter, kind, exercise)
    if form is Form.PREDICTION:
        texts = {"starter.yaml": starter(questions), **texts}
    for required in (f"starter{form.ending}", f"solution{form.ending}", HINTS):
        _require(required, texts, exercise)
    checks = _judged_by(texts, form, questions, folder, exercise)
    if points_of(checks) != matter["points"]:
        raise BadExercise(
            f"{exercise}: the task promises {matter['points']} points and the criteria add up to {points_of(checks)}"
        )
    try:
        parameters = {name: Parameter.parse(name, given) for name, given in (matter.get("parameters") or {}).items()}
        loaded = Exercise(
            id=f"{folder.parent.name}/{folder.name}",
            title=str(matter["title"]), kind=kind, minutes=int(matter["minutes"]), points=matter["points"],
            checks=checks, texts=texts, parameters=parameters,
            values={**defaults(parameters), **(values or {})},
            raw_namespaces=_names(matter, "namespaces", exercise) or ("default",),
            raw_cluster_objects=_names(matter, "cluster_objects", exercise),
            shows_wanted=matter.get("wanted", "hidden" if kind in LEADING else "shown") == "shown",
            form=form, questions=questions, declared=matter,
            bounds=Bounds(seconds=COMMANDS_SECONDS) if kind in STARTING_PROCESSES else Bounds(),
            difficulty=_one_of(Difficulty, matter, "difficulty", exercise) if "difficulty" in matter else None,
            prepare=_function(texts, folder, PREPARE, "prepare", exercise),
            experiment=_function(texts, folder, EXPERIMENT, "experiment", exercise),
        )  # fmt: skip
        loaded.task, loaded.starter, loaded.solution, loaded.hints, loaded.setup  # noqa: B018  every text must render
        return loaded
    except BadParameter as error:
        raise BadExercise(f"{exercise}: {error}") from error


def stray_files(folder: Path, exercise: Exercise) -> list[str]:
    """Files in an exercise's folder that belong to no part of the format."""
    known = {TASK, HINTS, SETUP, PREPARE, f"solution{exercise.form.ending}"}
    known |= {EXPERIMENT} if exercise.form is Form.PREDICTION else {CHECKS, f"starter{exercise.form.ending}"}
    endings = {form.ending for form in Form} if exercise.kind is Kind.TROUBLESHOOT else {exercise.form.ending}
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_dir() or IGNORED & set(inside.parts):
            continue
        variant = len(inside.parts) == 2 and inside.parts[0] in VARIANTS and path.suffix in endings
        if inside.as_posix() not in known and not variant:
            found.append(inside.as_posix())
    return found


def _folder(exercise: str, root: Path) -> Path:
    for folder in (root / exercise, Path(exercise)):
        if (folder / TASK).is_file():
            return folder.resolve()
    known = ", ".join(exercise_ids(root)) or "none"
    raise BadExercise(f"there is no exercise {exercise!r}; there are: {known}")


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not IGNORED & set(inside.parts) and path.suffix in (".md", ".yaml", ".txt", ".py"):
            yield inside.as_posix(), path.read_text(encoding="utf-8")


def _front_matter(text: str, exercise: str) -> tuple[dict[str, Any], str]:
    """The fields between the two lines ``---`` at the top of a task, and the task."""
    opening, _, rest = text.partition("---\n")
    matter_text, closing, task = rest.partition("\n---\n")
    if opening or not closing:
        raise BadExercise(f"{exercise}: {TASK} begins with front matter between two lines `---`")
    try:
        matter = yaml.load(matter_text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise BadExercise(f"{exercise}: the front matter of {TASK} is no YAML: {error}") from error
    if not isinstance(matter, dict):
        raise BadExercise(f"{exercise}: the front matter of {TASK} is a map of fields")
    missing = [name for name in REQUIRED if name not in matter]
    unknown = matter.keys() - {*REQUIRED, *OPTIONAL}
    if missing or unknown:
        said = [f"{name} is missing" for name in missing] + [f"{name} is not known" for name in sorted(unknown)]
        raise BadExercise(f"{exercise}: front matter of {TASK}: {'; '.join(said)}")
    for number in ("points", "minutes"):
        if isinstance(matter[number], bool) or not isinstance(matter[number], int | float) or matter[number] <= 0:
            raise BadExercise(f"{exercise}: front matter of {TASK}: {number} must be a number above 0")
    return matter, task.lstrip("\n")


def _one_of(choices: type[Choice], matter: Mapping[str, Any], key: str, exercise: str) -> Choice:
    try:
        return choices(matter[key])
    except ValueError:
        known = ", ".join(str(choice.value) for choice in choices)
        raise BadExercise(f"{exercise}: the {key} {matter[key]!r} is none of {known}") from None


def _form(matter: Mapping[str, Any], kind: Kind, exercise: str) -> Form:
    """The form that the answer has: that of the kind, or for troubleshooting what the front matter says."""
    if kind is not Kind.TROUBLESHOOT:
        if "answer" in matter:
            raise BadExercise(f"{exercise}: front matter of {TASK}: `answer` is only for the kind troubleshoot")
        return Form.PROGRAM if kind is Kind.PYTHON else Form(kind.value)
    form = _one_of(Form, {"answer": "manifest", **matter}, "answer", exercise)
    if form not in (Form.MANIFEST, Form.COMMANDS):
        raise BadExercise(f"{exercise}: the answer of an exercise of the kind troubleshoot is manifest or commands")
    return form


def _questions(matter: Mapping[str, Any], kind: Kind, exercise: str) -> dict[str, Question]:
    declared = matter.get("questions") or {}
    if bool(declared) is not (kind is Kind.PREDICTION) or not isinstance(declared, dict):
        raise BadExercise(f"{exercise}: front matter of {TASK}: predictions have `questions`, a map, and only they")
    try:
        return {str(name): Question.parse(str(name), given) for name, given in declared.items()}
    except BadQuestion as error:
        raise BadExercise(f"{exercise}: {error}") from error


def _names(matter: Mapping[str, Any], key: str, exercise: str) -> tuple[str, ...]:
    names = matter.get(key) or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadExercise(f"{exercise}: front matter of {TASK}: {key} is a list of names")
    return tuple(names)


def _require(file: str, texts: Mapping[str, str], exercise: str) -> None:
    if file not in texts:
        raise BadExercise(f"{exercise}: {file} is missing")


def _judged_by(
    texts: Mapping[str, str], form: Form, questions: Mapping[str, Question], folder: Path, exercise: str
) -> tuple[Check, ...]:
    """What answers are judged by: the checks of ``checks.py``, or for predictions one for each question."""
    if form is Form.PREDICTION:
        _require(EXPERIMENT, texts, exercise)
        return tuple(question.check for question in questions.values())
    _require(CHECKS, texts, exercise)
    return _checks(texts[CHECKS], folder / CHECKS, exercise)


def _checks(code: str, path: Path, exercise: str) -> tuple[Check, ...]:
    """The checks of a module in the order in which they are written."""
    checks = tuple(value for value in _module(code, path, exercise).values() if isinstance(value, Check))
    names = [check.name for check in checks]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise BadExercise(f"{exercise}: {CHECKS}: two checks are named {', '.join(sorted(doubled))}")
    if not points_of(checks):
        raise BadExercise(f"{exercise}: {CHECKS} declares no criterion")
    return checks


def _function(texts: Mapping[str, str], folder: Path, file: str, name: str, exercise: str) -> Any:
    """The function ``name`` that a file of the exercise defines; None if there is no such file."""
    if file not in texts:
        return None
    function = _module(texts[file], folder / file, exercise).get(name)
    if not callable(function):
        raise BadExercise(f"{exercise}: {file} defines no function {name}")
    return function


def _module(code: str, path: Path, exercise: str) -> dict[str, Any]:
    """What a Python file of an exercise defines; it is run, since the course's authors wrote it."""
    module: dict[str, Any] = {"__name__": f"{path.stem} of {exercise}", "__file__": str(path)}
    try:
        exec(compile(code, str(path), "exec", dont_inherit=True), module)
    except BadCheck as error:
        raise BadExercise(f"{exercise}: {path.name}: {error}") from error
    except Exception as error:
        raise BadExercise(f"{exercise}: {path.name} cannot be run: {type(error).__name__}: {error}") from error
    return module
