"""Proving exercises: that they give points for what is right, and for nothing else.

For every exercise: the starter earns nothing; the solution everything, twice on fresh clusters; every accepted variant
everything; every mutant loses exactly what it names, and everything that can be lost has a mutant that loses it;
variants made by rule lose nothing, mutants made by rule lose something; no message is empty or gives away what is to
be found out; hints do not share long runs with the solution; what the checks ask for is given to the student; no
stray files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Final

from autograder.checks import Outcome, Status, Verdict
from autograder.checks.paths import resolve
from autograder.clusters import Cluster, Object, apply
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.exercises import command_variants, predictions
from autograder.exercises.audit_report import Report
from autograder.exercises.confinement import in_order
from autograder.exercises.equivalents import as_yaml, equivalents
from autograder.exercises.exercise import Answer, Exercise, Form
from autograder.exercises.loading import exercises_root, stray_files
from autograder.exercises.mutations import mutations
from autograder.exercises.parameters import spread
from autograder.exercises.reading import read
from autograder.exercises.rewriting import Path, at, dropped, leaves, replaced, server_fields_removed
from autograder.exercises.running import Judgement, Runner
from autograder.exercises.wording import PLAIN_WORDS, is_word_of, shared_run, stands_in
from autograder.manifests import parse

#: Tokens in a row that a hint and the solution may share.
SHARED_RUN: Final = 5

#: Sets of values that are tried, beside the defaults, to see that whatever is drawn fits together.
DRAWS: Final = 5


class Auditor:
    """Audits exercises on clusters that are booted once."""

    def __init__(self, first: Cluster, second: Cluster) -> None:
        self._runners = (Runner(first, allow_python=True), Runner(second, allow_python=True))

    def audit(self, exercise: Exercise) -> Report:
        """Everything about one exercise."""
        begin = time.perf_counter()
        report = Report(exercise.id)
        _Audit(exercise, self._runners, report).run()
        report.seconds = time.perf_counter() - begin
        return report


class _Audit:
    """The audit of one exercise while it goes on."""

    def __init__(self, exercise: Exercise, runners: tuple[Runner, Runner], report: Report) -> None:
        self.exercise = exercise
        self.runner, self.second = runners
        self.report = report
        self.lost: set[str] = set()
        self.judgements: dict[tuple[object, ...], Judgement] = {}

    def run(self) -> None:
        """All rules, one after the other."""
        for file in stray_files(exercises_root() / self.exercise.id, self.exercise):
            self.find(f"{file} belongs to no part of an exercise")
        if self.exercise.difficulty is None:
            self.find("the front matter does not say how difficult it is")
        self.starter(self.exercise)
        self.solution()
        for name, text in self.exercise.accepted.items():
            self.rightful(f"accepted/{name}", self.exercise, Answer({name: text}))
        self.mutants(self.exercise)
        self.made_by_rule[self.exercise.form](self)
        for check in self.exercise.checks:
            if check.name not in self.lost:
                self.find(f"no mutant loses {check.name!r}")
        self.hints()
        for values in spread(self.exercise.parameters, DRAWS):
            drawn = self.exercise.with_values(values)
            if drawn.values != self.exercise.values:
                self.starter(drawn)
                self.rightful(f"solution for {drawn.values}", drawn, drawn.answer(drawn.solution))
                self.mutants(drawn)

    def find(self, what: str) -> None:
        """Note a finding."""
        self.report.findings.append(what)

    def starter(self, exercise: Exercise) -> None:
        """What the student begins with must earn nothing."""
        verdict = self.verdict("starter", exercise, exercise.answer(exercise.starter))
        right = verdict.earned == 0 and verdict.status in (Status.GRADED, Status.NOT_SUBMITTED)
        self.report.wrongful.count(right)
        if not right:
            self.find(f"the starter earns {verdict.earned} ({verdict.status.value}), and must earn 0")

    def solution(self) -> None:
        """The solution must earn everything on both clusters, and the student must know all that it is asked for."""
        answer = self.exercise.answer(self.exercise.solution)
        for runner in (self.runner, self.second):
            self.rightful("solution", self.exercise, answer, runner)
        judgement = self.judgement(self.runner, self.exercise, answer)
        asked = [name for one in judgement.judged for name in one.notes.names]
        if self.exercise.shows_wanted:
            asked += [value for one in judgement.judged for value in one.notes.values]
        seen = self.seen()
        for word in dict.fromkeys(asked):
            if word not in seen and not stands_in(word, given(self.exercise)):
                self.find(f"the checks ask for {word!r}, which stands neither in the task nor in the starter")

    def mutants(self, exercise: Exercise) -> None:
        """Each wrong answer of the author must lose what its first line says."""
        for name, text in exercise.mutants.items():
            first = text.partition("\n")[0]
            if not first.startswith("# loses: "):
                self.find(f"mutants/{name}: the first line must be `# loses: ` and what it loses")
                continue
            named = {part.strip() for part in first.removeprefix("# loses: ").split(",")}
            self.loses(f"mutants/{name}", exercise, Answer({name: text}), named)

    def loses(self, name: str, exercise: Exercise, answer: Answer, named: set[str]) -> None:
        """A wrong answer that must lose just what is named."""
        verdict = self.verdict(name, exercise, answer)
        lost = {result.name for result in verdict.criteria if result.is_lost}
        self.lost |= lost
        right = lost == named and verdict.status in (Status.GRADED, Status.UNREADABLE)
        self.report.wrongful.count(right)
        if not right:
            said = ", ".join(sorted(lost)) or "nothing"
            self.find(f"{name} loses {said} ({verdict.status.value}), and names {', '.join(sorted(named))}")

    def rightful(self, name: str, exercise: Exercise, answer: Answer, runner: Runner | None = None) -> None:
        """A right answer, which must earn everything."""
        verdict = self.verdict(name, exercise, answer, runner)
        self.report.rightful.count(verdict.is_full)
        if not verdict.is_full:
            earned = f"{verdict.earned} of {verdict.possible} ({verdict.status.value})"
            self.find(f"{name} earns {earned}: {_complaints(verdict)}")

    def wrongful(self, name: str, answer: Answer) -> None:
        """A wrong answer made by rule, which must lose something."""
        verdict = self.verdict(name, self.exercise, answer, until_lost=True)
        right = not verdict.is_full and verdict.status is not Status.COULD_NOT_BE_JUDGED
        self.report.wrongful.count(right)
        if not right:
            self.find(f"{name} is wrong and earns {verdict.earned} of {verdict.possible} ({verdict.status.value})")

    def foretold(self) -> None:
        """The solution in other words, and each prediction left out or made otherwise."""
        right = predictions.of(self.exercise.solution)
        for name, text in predictions.equivalents(right):
            self.rightful(f"variant ({name})", self.exercise, self.exercise.answer(text))
        for question, name, text in predictions.wrong(self.exercise.questions, right):
            self.loses(f"mutant ({name})", self.exercise, self.exercise.answer(text), {question})
        for question, asked in self.exercise.questions.items():
            answer = right.get(question, "")
            if answer not in PLAIN_WORDS and is_word_of(answer, asked.leads):
                self.find(f"what leads to {question} gives away the answer: {asked.leads!r}")

    def commands(self) -> None:
        """The same commands in other writing, and others."""
        for name, text in command_variants.equivalents(self.exercise.solution):
            self.rightful(f"variant ({name})", self.exercise, self.exercise.answer(text))
        for name, text in command_variants.wrong(self.exercise.solution):
            self.wrongful(f"mutant ({name})", self.exercise.answer(text))

    def programs(self) -> None:
        """The same program in other writing; what a program may not do, only its mutants know."""
        for name, text in (
            ("Windows line ends", self.exercise.solution.replace("\n", "\r\n")),
            ("comments", f"# mine\n\n{self.exercise.solution}\n\n# the end\n"),
            ("it prints", f"print('hello')\n{self.exercise.solution}"),
        ):
            self.rightful(f"variant ({name})", self.exercise, self.exercise.answer(text))

    def manifests(self) -> None:
        """Variants and mutants of the solution; the server decides which changes mean nothing."""
        documents = in_order(parse(self.exercise.solution, source="solution.yaml").documents)
        objects = [document.value for document in documents]
        for name, answer in equivalents(objects):
            self.rightful(f"variant ({name})", self.exercise, answer)
        stored = self.stored(objects)
        if stored is None:
            return
        for name, changed in _defaults_written(objects, stored):
            if self.stored(changed) == stored:
                self.rightful(f"variant ({name})", self.exercise, Answer({"answer.yaml": as_yaml(changed)}))
        for path, _ in list(leaves(objects)):
            without = dropped(objects, path)
            if len(path) > 2 and self.stored(without) == stored:
                name = f"{'.'.join(map(str, path[1:]))} left out"
                self.rightful(f"variant ({name})", self.exercise, Answer({"answer.yaml": as_yaml(without)}))
        for name, wrong in mutations(objects, self.graded(objects)):
            if self.stored(wrong) != stored:
                self.wrongful(f"mutant ({name})", Answer({"answer.yaml": as_yaml(wrong)}))

    def graded(self, objects: Sequence[Object]) -> Iterator[Path]:
        """The fields of the solution that a check compares."""
        judgement = self.judgement(self.runner, self.exercise, self.exercise.answer(self.exercise.solution))
        for one in judgement.judged:
            for compared in one.notes.looked_at:
                subject = compared.subject
                for index, obj in enumerate(objects):
                    if (obj["kind"], obj["metadata"]["name"]) == (subject.kind, subject.name):
                        yield (index, *resolve(obj, compared.path))

    def stored(self, objects: Sequence[Any]) -> list[Object] | None:
        """What the API server makes of the objects, defaults filled in; None if it refuses one."""
        case = self.runner.case(self.exercise)
        try:
            return [server_fields_removed(apply(case.cluster, obj, case.namespace)) for obj in objects]
        except (StatusError, LookupError):
            return None
        finally:
            case.cluster.close()

    def hints(self) -> None:
        """There are two or three, and none of them gives the solution away."""
        if not 2 <= len(self.exercise.hints) <= 3:
            self.find(f"there are {len(self.exercise.hints)} hints; write two or three")
        for number, hint in enumerate(self.exercise.hints, 1):
            shared = shared_run(hint, self.exercise.solution)
            if len(shared) > SHARED_RUN:
                self.find(f"hint {number} shares a long run with the solution: {' '.join(shared)!r}")

    def verdict(
        self, name: str, exercise: Exercise, answer: Answer, runner: Runner | None = None, *, until_lost: bool = False
    ) -> Verdict:
        """Judge an answer and look at the messages on the way."""
        verdict = self.judgement(runner or self.runner, exercise, answer, until_lost=until_lost).verdict
        for result in verdict.criteria:
            if not result.message.strip():
                self.find(f"{name}: {result.name} has an empty message")
            if result.outcome is Outcome.COULD_NOT_BE_JUDGED:
                self.find(f"{name}: {result.name} {result.message}")
            secret = result.wanted if result.outcome is not Outcome.PASSED and not exercise.shows_wanted else None
            if secret and not stands_in(secret, given(exercise)) and stands_in(secret, result.message):
                self.find(f"{name}: the message of {result.name} gives away what was wanted")
        return verdict

    def judgement(self, runner: Runner, exercise: Exercise, answer: Answer, *, until_lost: bool = False) -> Judgement:
        """Judge an answer, with what was wanted; of two that are read as the same only one is judged."""
        key = (runner, tuple(exercise.values.items()), until_lost, _meaning(exercise, answer))
        if key not in self.judgements:
            judgement = runner.judgement(replace(exercise, shows_wanted=True), answer, until_lost=until_lost)
            self.judgements[key] = replace(judgement, cluster=None)
        return self.judgements[key]

    def seen(self) -> set[str]:
        """The names that a student finds in the cluster: of its nodes, and of what the exercise sets up."""
        prepared = self.runner.prepared(self.exercise)
        nodes = {node["metadata"]["name"] for node in prepared.cluster.list("Node")}
        return nodes | {name for _, _, name in prepared.before}

    #: What is made by rule for each form of answer.
    made_by_rule: Final[dict[Form, Callable[[_Audit], None]]] = {
        Form.MANIFEST: manifests,
        Form.COMMANDS: commands,
        Form.PREDICTION: foretold,
        Form.PROGRAM: programs,
    }


def _meaning(exercise: Exercise, answer: Answer) -> tuple[object, ...]:
    """What of an answer can make a difference for its points: all that was read, but not how it was laid out.

    The order of keys and documents, and in which of how many files each stands, stay a part of it: a check that goes by
    positions or files must be found out.
    """
    reading = read(exercise, answer)
    if reading.problems or reading.predictions or reading.program:
        return tuple(answer.files.items())
    documents = json.dumps([document.value for document in reading.documents])
    sources = list(dict.fromkeys(document.source for document in reading.documents))
    places = tuple((sources.index(document.source), PurePath(document.source).suffix) for document in reading.documents)
    return documents, places, command_variants.meaning(reading.lines), tuple(reading.files.items())


def given(exercise: Exercise) -> str:
    """All that a student with these values is given to read."""
    return exercise.task + exercise.starter


def _defaults_written(objects: Sequence[Object], stored: Sequence[Object]) -> Iterator[tuple[str, list[Object]]]:
    """The objects with what the server filled in written out: each field alone, then everything."""
    for index, (obj, live) in enumerate(zip(objects, stored, strict=True)):
        for path, value in leaves(live):
            if at(obj, path) is None and path[0] != "status":
                changed: list[Object] = replaced(list(objects), (index, *path), value)
                yield f"{'.'.join(map(str, path))} written out", changed
    yield "everything written out", list(stored)


def _complaints(verdict: Verdict) -> str:
    return "; ".join(f"{one.name}: {one.message}" for one in verdict.criteria if one.outcome is not Outcome.PASSED)
