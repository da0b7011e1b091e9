"""An exercise: a folder of texts and checks, with the values of its parameters.

The format is described for authors in ``course/exercises/README.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Final

from autograder.checks import Trial
from autograder.checks.declaring import Check
from autograder.checks.verdict import Role, tidy
from autograder.clusters import Cluster
from autograder.exercises.parameters import Parameter, Value, draw, render
from autograder.exercises.questions import Question


class Kind(Enum):
    """What the student is asked to do."""

    MANIFEST = "manifest"
    COMMANDS = "commands"
    PREDICTION = "prediction"
    TROUBLESHOOT = "troubleshoot"
    PYTHON = "python"


class Form(Enum):
    """What an answer is written as; the value is the name of the magic whose cells hold it."""

    MANIFEST = "manifest"
    COMMANDS = "commands"
    PREDICTION = "prediction"
    PROGRAM = "program"

    @property
    def ending(self) -> str:
        """The ending of files of this form."""
        return {Form.COMMANDS: ".txt", Form.PROGRAM: ".py"}.get(self, ".yaml")


class Difficulty(Enum):
    """How hard an exercise is for those who have read its lesson."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


#: Kinds whose feedback says only what was found, since naming what was wanted would give the answer away.
LEADING: Final = frozenset({Kind.PREDICTION, Kind.TROUBLESHOOT})

#: ``prepare(cluster, values)`` of an exercise's ``setup.py``.
Prepare = Callable[[Cluster, Mapping[str, Any]], None]
#: ``experiment(trial)`` of an exercise's ``experiment.py``: what really happens, by the names of the questions.
Experiment = Callable[[Trial], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a student hands in: texts by file name.  Data, never code; names are labels and no paths."""

    files: Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an answer may ask for."""

    files: int = 20
    objects: int = 50
    pods: int = 200  #: replicas of all its workloads together
    seconds: float = 20  #: of wall time for the whole judgement


@dataclass(frozen=True)
class Exercise:
    """One exercise.  ``texts`` are its files as they were written, by their path inside the folder.

    ``namespaces`` are those that an answer may put objects in, the first being the one meant when none is written;
    ``cluster_objects`` are the cluster-scoped objects that it may create, as ``Kind/name``.
    """

    id: str
    title: str
    kind: Kind
    minutes: int
    points: float
    checks: tuple[Check, ...]
    texts: Mapping[str, str]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    raw_namespaces: tuple[str, ...] = ("default",)
    raw_cluster_objects: tuple[str, ...] = ()
    shows_wanted: bool = True
    bounds: Bounds = Bounds()
    form: Form = Form.MANIFEST
    difficulty: Difficulty | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)  #: the front matter of the task
    prepare: Prepare | None = None
    experiment: Experiment | None = None

    def with_values(self, values: Mapping[str, Value]) -> Exercise:
        """The same exercise with other values for its parameters."""
        return replace(self, values={**self.values, **values})

    def drawn_for(self, student: str, secret: bytes) -> Exercise:
        """The exercise with the values of one student."""
        return self.with_values(draw(self.parameters, secret=secret, exercise=self.id, student=student))

    @property
    def is_individual(self) -> bool:
        """Whether its values may differ from student to student."""
        return any(len(parameter.choices) > 1 for parameter in self.parameters.values())

    @property
    def task(self) -> str:
        """What the student reads, as Markdown."""
        return self._rendered("task.md")

    @property
    def starter(self) -> str:
        """What the student finds to begin with."""
        return self._rendered(f"starter{self.form.ending}")

    @property
    def solution(self) -> str:
        """An answer that earns full marks."""
        return self._rendered(f"solution{self.form.ending}")

    @property
    def setup(self) -> str:
        """The objects that are in the cluster before the answer; empty if there are none."""
        return self._rendered("setup.yaml") if "setup.yaml" in self.texts else ""

    @property
    def hints(self) -> tuple[str, ...]:
        """Hints that lead step by step and do not give it away."""
        return tuple(part.strip() for part in self._rendered("hints.md").split("\n---\n") if part.strip())

    @cached_property
    def accepted(self) -> Mapping[str, str]:
        """Other right answers, by file name."""
        return self._folder("accepted/")

    @cached_property
    def mutants(self) -> Mapping[str, str]:
        """Wrong answers, by file name; the first line of each says what it must lose."""
        return self._folder("mutants/")

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that an answer may use."""
        return tuple(render(name, self.values, source="task.md") for name in self.raw_namespaces)

    @cached_property
    def cluster_objects(self) -> frozenset[str]:
        """The cluster-scoped objects that an answer may create."""
        return frozenset(render(name, self.values, source="task.md") for name in self.raw_cluster_objects)

    def answer(self, text: str | bytes) -> Answer:
        """An answer of one file."""
        return Answer({self.file: text})

    @property
    def file(self) -> str:
        """The file that the student's answer is kept in, ``first-pod.yaml``."""
        return f"{self.id.rpartition('/')[2]}{self.form.ending}"

    @property
    def header(self) -> str:
        """The first line of the answer's cell, ``%%manifest first-pod.yaml``."""
        return f"%%{self.form.value} {self.file}"

    def _rendered(self, path: str) -> str:
        return render(self.texts[path], self.values, source=path)

    def _folder(self, folder: str) -> dict[str, str]:
        paths = sorted(path for path in self.texts if path.startswith(folder))
        return {path.removeprefix(folder): self._rendered(path) for path in paths}


def points_of(checks: tuple[Check, ...]) -> float:
    """What the criteria earn together."""
    return tidy(sum(check.points for check in checks if check.role is Role.CRITERION))
