"""Similar answers: a copy is found however it is dressed up, and right answers are not suspicious."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from generated_class import COPIED, MANIFEST, made_up

from autograder.exercises import exercise_ids, load
from autograder.grading.reports.results import ExerciseInfo, ExerciseResult, Results, Student, SubmissionResult, Text
from autograder.grading.reports.similarity import LEAST, Pair, shingles, similar, tokens

OWN = MANIFEST.format(name="web", label="app: web", image="redis:7", memory="65Mi") + COPIED


def hints(
    *texts: str, form: str = "manifest", known: tuple[str, ...] = (), values: tuple[dict[str, str], ...] = ()
) -> list[Pair]:
    """The pairs among students a, b, c ... who wrote these texts; ``values`` are those drawn for each."""
    students = [f"{chr(ord('a') + number % 26)}{'' if number < 26 else number}" for number in range(len(texts))]
    drawn = values or ({},) * len(texts)
    submissions = tuple(
        SubmissionResult(student, "x", "graded", True, 0, (
            ExerciseResult("x/y", "graded", 1, 1, (), Text("y.yaml", text), own),
        ))
        for student, text, own in zip(students, texts, drawn, strict=True)
    )  # fmt: skip
    exercise = ExerciseInfo("x/y", "Y", "manifest", form, 1, (), known)
    return similar(Results("c", (), (exercise,), tuple(map(Student, students)), submissions))


def test_a_copy_is_found() -> None:
    (pair,) = hints(OWN, OWN, MANIFEST.format(name="db", label="app: db", image="postgres:16", memory="1Gi"))
    assert (pair.one, pair.other, pair.similarity, pair.shared) == ("a", "b", 1, pair.own)
    assert pair.examples[0] == "containers[].workingDir=/home/somebody/else"


DRESSED_UP = {
    "other names": OWN.replace("web", "shop").replace("main", "app"),
    "another label": OWN.replace("app: web", "tier: front"),
    "comments": OWN.replace("spec:", "spec: # all mine\n  # really"),
    "as JSON": None,
    "another order": "kind: Pod\n" + OWN.replace("kind: Pod\n", ""),
    "other quotation marks": OWN.replace('"11"', "'11'"),
    "one value changed": OWN.replace("fastest", "slowest"),
}


@pytest.mark.parametrize("how", DRESSED_UP)
def test_so_is_one_that_was_dressed_up(how: str) -> None:
    other = DRESSED_UP[how] or json.dumps(yaml.safe_load(OWN))
    assert other != OWN
    assert [(pair.one, pair.other) for pair in hints(OWN, other)] == [("a", "b")]


def test_what_stands_in_the_starter_and_the_solution_is_nobodys_own() -> None:
    assert hints(OWN, OWN, known=(OWN,)) == []


def test_what_many_wrote_is_nobodys_own() -> None:
    assert hints(*[OWN] * 3)
    assert hints(*[OWN] * 5) == []


def test_answers_with_little_of_their_own_are_not_compared() -> None:
    short = "a: 1\nb: 2\nc: 3\n"
    assert len(set(shingles(tokens(short, "manifest", {})))) < LEAST
    assert hints(short, short) == []


def test_predictions_are_never_compared() -> None:
    text = "".join(f"question-{number}: answer-{number}\n" for number in range(50))
    assert hints(text, text, form="prediction") == []


def test_the_same_mistake_in_what_cannot_be_read_is_the_same_mistake() -> None:
    broken = "kind: Pod\nmetadata: {name: web\nspec: [one, two, three\n" + "also: this\n" * 3
    assert [pair.similarity for pair in hints(broken, broken.replace("kind: Pod", "# mine\nkind: Pod"))] == [1]


def test_commands_that_differ_in_names() -> None:
    lines = "kubectl create deployment {0} --image=nginx:1.27 --replicas=4\nkubectl scale deployment {0} --replicas=9\n"
    more = "kubectl rollout restart deployment/{0} -n {0}\nkubectl delete pod --all --grace-period=0 --force\n"
    text = lines + more
    assert [pair.similarity for pair in hints(text.format("web"), text.format("shop"), form="commands")] == [1]


def test_values_drawn_for_each_student_do_not_hide_a_copy() -> None:
    first, second = OWN.replace("redis:7", "nginx:1.25"), OWN.replace("redis:7", "nginx:1.26")
    (pair,) = hints(first, second, values=({"image": "nginx:1.25"}, {"image": "nginx:1.26"}))
    assert pair.similarity == 1


def test_those_who_copied_are_found_in_a_class_and_nobody_else() -> None:
    found = similar(made_up(200))
    assert {(pair.one, pair.other) for pair in found} == {("s0001", "s0002")}


def test_mistakes_that_nobody_copied_are_not_listed() -> None:
    """The wrong answers of every exercise of the course, as if each was a student's and none was foreseen."""
    course = Path(__file__).parents[3] / "course" / "exercises"
    compared = 0
    for identity in exercise_ids(course):
        exercise = load(identity, course)
        answers = list(exercise.mutants.values())
        known = (exercise.starter, exercise.solution, *exercise.accepted.values())
        assert hints(*answers, form=exercise.form.value, known=known) == [], identity
        compared += len(answers)
    assert compared > 100


def test_an_index_and_not_all_pairs() -> None:
    """A thousand answers with much of their own take about ten times as long as a hundred, not a hundred times."""
    dice = random.Random(7)

    def seconds(count: int) -> float:
        texts = ["".join(f"k{number}: {dice.randrange(10**6)}\n" for number in range(30)) for _ in range(count)]
        results = made_up(1)
        exercise = replace(results.exercises[0], known=())
        submissions = tuple(
            SubmissionResult(str(number), "x", "graded", True, 0, (
                ExerciseResult(exercise.id, "graded", 1, 1, (), Text("y.yaml", text)),
            ))
            for number, text in enumerate(texts)
        )  # fmt: skip
        begin = time.process_time()
        assert similar(replace(results, exercises=(exercise,), submissions=submissions)) == []
        return time.process_time() - begin

    seconds(20)
    assert seconds(1_000) < 40 * seconds(100)
