"""A class of any size, made up: students of different abilities, exercises of different difficulty, and two who copied.

The same size gives the same class.  Nothing in it was graded; it has the form of what grading writes.
"""

from __future__ import annotations

import random
from dataclasses import replace

from autograder.checks.verdict import Where
from autograder.grading.reports.results import (
    AssignmentInfo,
    Check,
    Criterion,
    ExerciseInfo,
    ExerciseResult,
    Results,
    Student,
    SubmissionResult,
    Text,
)

FIRST = "Ada Grace Ken Linus Barbara Dennis Margaret Edsger Radia Tim Annie Frances Guido Katherine Leslie".split()
LAST = "Lovelace Hopper Thompson Torvalds Liskov Ritchie Hamilton Dijkstra Perlman Easley Allen Johnson Lamport".split()

#: Assignments, their exercises, and how hard each of these is.
COURSE = {
    "07-pods": {"pods/first-pod": 0.9, "pods/pending-pod": 0.7, "pods/crash-loop": 0.5, "pods/not-before": 0.25},
    "12-resourcequotas": {"resourcequotas/dev-quota": 0.8, "resourcequotas/numbers": 0.55},
}
#: The students, by their numbers, of whom one has copied from the other.
COPIERS = (1, 2)
URGENT = ("could not be judged", "unreadable", "graded", "not submitted")
CHECKS = (
    Check("exists", "gate", 0, "Who looks for it knows its name."),
    Check("image", "criterion", 1, "The tag says which version of the program runs."),
    Check("label", "criterion", 1, "Services find Pods by their labels alone."),
    Check("memory", "criterion", 2, "The scheduler counts requests, not what is used."),
    Check("untouched", "guard", 1, "Others use it too."),
)
WRONG = {
    "image": (("nginx:latest", 6), ("nginx", 3), ("ngnix:1.27", 1)),
    "label": (("application: web", 3), ("nothing", 5)),
    "memory": (("64M", 8), ("64m", 4), ("nothing", 2)),
}
WANTED = {"image": "nginx:1.27", "label": "app: web", "memory": "64Mi"}
LINE = {"image": 9, "label": 6, "memory": 12}
MANIFEST = """\
# my answer
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{{label}}}
spec:
  containers:
    - image: {image}
      name: main
      resources:
        requests: {{memory: {memory}}}
"""
COPIED = """\
      env:
        - {name: MODE, value: fastest}
        - {name: LEVEL, value: "11"}
      ports:
        - {containerPort: 31337, protocol: UDP}
      workingDir: /home/somebody/else
      terminationMessagePath: /var/log/why
"""


def made_up(count: int, seed: int = 1) -> Results:
    """A class of so many students."""
    dice = random.Random(seed)
    students = tuple(
        Student(f"s{number:04}", dice.choice(FIRST), dice.choice(LAST), f"s{number:04}@example.org", str(7000 + number))
        for number in range(count)
    )
    ability = {student.id: dice.gauss(0, 0.25) for student in students}
    exercises = tuple(_exercise(name) for course in COURSE.values() for name in course)
    submissions = tuple(
        _submission(dice, student.id, assignment, ability[student.id], number)
        for assignment in COURSE
        for number, student in enumerate(students)
    )
    assignments = tuple(AssignmentInfo(name, 4 * len(course), tuple(course)) for name, course in COURSE.items())
    return Results("kubernetes", assignments, exercises, students, submissions, "autograder 0")


def with_names(results: Results, *names: str) -> Results:
    """The same class, its first students renamed."""
    new = dict(zip((student.id for student in results.students), names, strict=False))
    students = tuple(Student(new[one.id]) if one.id in new else one for one in results.students)
    submissions = tuple(replace(one, student=new.get(one.student, one.student)) for one in results.submissions)
    return replace(results, students=students, submissions=submissions)


def with_answer(results: Results, text: str, **criterion: object) -> Results:
    """The same class, the first answer replaced, and the criterion ``image`` of it lost in the words given."""
    first = results.submissions[0]
    answer = first.exercises[0]
    lost = Criterion(
        "image", "criterion", "failed", 0, 1, "it is another image", "nginx:1.27", "?", Where("a.yaml", 1, 1)
    )
    passed = (Criterion(one.name, one.role, "passed", one.possible, one.possible, "so it is") for one in CHECKS[2:])
    criteria = (replace(lost, **criterion), *passed)  # type: ignore[arg-type]
    changed = replace(answer, status="graded", earned=0, criteria=criteria, answer=Text("a.yaml", text))
    submission = replace(first, handed_in=True, status="graded", exercises=(changed, *first.exercises[1:]))
    return replace(results, submissions=(submission, *results.submissions[1:]))


def _exercise(name: str) -> ExerciseInfo:
    solution = MANIFEST.format(name="web", label="app: web", image="nginx:1.27", memory="64Mi")
    title = name.partition("/")[2].replace("-", " ").capitalize()
    return ExerciseInfo(name, title, "manifest", "manifest", 4, CHECKS, (solution,))


def _submission(dice: random.Random, student: str, assignment: str, ability: float, number: int) -> SubmissionResult:
    copied = number in COPIERS
    handed_in = dice.random() > 0.06 or copied
    broken = dice.random() < 0.04 and handed_in and not copied
    exercises = tuple(
        _answer(dice, name, 2 if copied else hard + ability, handed_in=handed_in, broken=broken, copied=copied)
        for name, hard in COURSE[assignment].items()
    )
    notes = ("a cell was missing and was put back",) if number % 17 == 3 and handed_in else ()
    seconds = round(dice.uniform(0.2, 1.2), 3)
    status = next(one for one in URGENT if one in {answer.status for answer in exercises})
    return SubmissionResult(student, assignment, status, handed_in, seconds, exercises, notes)


def _answer(
    dice: random.Random, name: str, chance: float, *, handed_in: bool, broken: bool, copied: bool
) -> ExerciseResult:
    file = f"{name.partition('/')[2]}.yaml"
    if not handed_in or dice.random() < 0.04:
        return ExerciseResult(name, "not submitted", None, 4, ())
    if broken:
        message = "a `{` is opened here and not closed with `}`; close it, and put commas between"
        entry = Criterion(
            "readable", "gate", "failed", 0, 0, message, where=Where(file, 4, 11), why="Only what can be read counts."
        )
        return ExerciseResult(
            name, "unreadable", None, 4, (entry,), Text(file, "apiVersion: v1\nkind: Pod\n\nmetadata: {\n")
        )
    if dice.random() < 0.01 or (name == "resourcequotas/numbers" and dice.random() < 0.15):
        entry = Criterion("accepted", "gate", "could not be judged", 0, 0, "could not be judged: KeyError: 'spec'")
        return ExerciseResult(name, "could not be judged", None, 4, (entry,), Text(file, "apiVersion: v1\n"))
    found = {check: WANTED[check] if dice.random() < chance else _one_of(dice, WRONG[check]) for check in WRONG}
    if dice.random() > chance + 0.45:
        gate = Criterion("exists", "gate", "failed", 0, 0, "there is no Pod web; there are: nothing", why=CHECKS[0].why)
        rest = (Criterion(one.name, one.role, "not looked at, since a gate before it failed", 0, one.possible,
                          "not looked at: first comes 'exists'") for one in CHECKS[1:])  # fmt: skip
        return ExerciseResult(name, "graded", 0, 4, (gate, *rest), Text(file, "# I do not know\nkind: Pod\n"))
    criteria = tuple(_criterion(check, found, file) for check in CHECKS)
    label = found["label"].replace("nothing", "")
    name_of_pod = dice.choice(["web", "my-web", "pod"])
    text = MANIFEST.format(name=name_of_pod, label=label, image=found["image"], memory=found["memory"])
    earned = sum(one.earned for one in criteria)
    return ExerciseResult(name, "graded", earned, 4, criteria, Text(file, text + COPIED * copied))


def _criterion(check: Check, found: dict[str, str], file: str) -> Criterion:
    name = check.name
    points = check.possible if check.role == "criterion" else 0
    if name not in WRONG or found[name] == WANTED[name]:
        return Criterion(name, check.role, "passed", points, points, f"{name}: as it should be", why=check.why)
    partly = name == "memory" and found[name] == "64M"
    return Criterion(name, "criterion", "partly passed" if partly else "failed", 1 if partly else 0, check.possible,
                     f"the {name} of Pod web is another one", WANTED[name], found[name],
                     Where(file, LINE[name], 13, f"spec.{name}"), check.why)  # fmt: skip


def _one_of(dice: random.Random, weighted: tuple[tuple[str, int], ...]) -> str:
    values, weights = zip(*weighted, strict=True)
    return str(dice.choices(values, weights)[0])
