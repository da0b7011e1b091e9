"""Make the sample class: six students' submissions, from the student version of the notebooks and the exercises.

    python -m tools.make_sample_class [DIR]          DIR: instead of course/submitted

Every answer is one that a real student might give.  The same course gives the same bytes.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import nbformat

from autograder.exercises import load
from autograder.grading.assignment import Assignment, load_assignments
from autograder.grading.configuration import Configuration, configuration
from autograder.grading.releasing import released

COURSE: Final = Path(__file__).parents[1] / "course"

#: The lessons that the class has handed in.
LESSONS: Final = ("07-pods", "08-replicasets", "12-resourcequotas")

#: For each student and exercise a part of the exercise's folder, or (several lines, or nothing) the answer itself.
#: What is not named here is answered with the solution.
ANSWERS: Final[Mapping[str, Mapping[str, str]]] = {
    "ada": {},
    "grace": {
        "pods/first-pod": "accepted/generated-by-kubectl.yaml",
        "pods/pending-pod": """\
apiVersion: v1
kind: Pod
metadata: {name: reports}
spec:
  containers:
    - name: app
      image: docker.io/library/nginx:1.27
      resources:
        limits: {memory: 0.5Gi}
        requests: {memory: 131072Ki, cpu: 0.25}
""",
        "replicasets/three-replicas": "accepted/match-expressions.yaml",
        "replicasets/adopt-pods": "accepted/match-expressions.yaml",
        "resourcequotas/dev-quota": "accepted/other-units.yaml",
        "resourcequotas/fit-the-quota": """\
kind: LimitRange
apiVersion: v1
metadata: {name: defaults, namespace: team-a}
spec:
  limits:
    - type: Container
      defaultRequest: {cpu: 50m, memory: 32Mi}
---
kind: ReplicaSet
apiVersion: apps/v1
metadata: {namespace: team-a, name: worker}
spec:
  template:
    metadata:
      labels: {app: worker}
    spec:
      containers:
        - image: nginx:1.27
          name: main
          resources: {requests: {memory: "134217728", cpu: 0.2}}
  selector:
    matchLabels: {app: worker}
  replicas: 4
""",
        "pods/generate": "accepted/piped.txt",
        "pods/crash-loop": "accepted/replaced-by-force.txt",
        "pods/not-before": "accepted/named-port.yaml",
        "replicasets/misfit": "accepted/match-expressions.yaml",
        "replicasets/more-and-newer": "accepted/to-zero-and-up.txt",
        "replicasets/no-room": "accepted/deleted.txt",
        "resourcequotas/numbers": "accepted/counted.yaml",
        "resourcequotas/generate": "accepted/short-names.txt",
        "resourcequotas/defaults": "accepted/other-units.yaml",
    },
    "linus": {
        "pods/first-pod": "mutants/other-tag.yaml",
        "pods/pending-pod": "mutants/powers-of-ten.yaml",
        "replicasets/three-replicas": "mutants/too-few.yaml",
        "replicasets/adopt-pods": "mutants/selector-too-narrow.yaml",
        "resourcequotas/dev-quota": "mutants/swapped.yaml",
        "resourcequotas/fit-the-quota": "mutants/power-of-ten.yaml",
        "pods/generate": "mutants/never-applied.txt",
        "pods/crash-loop": "mutants/other-queue.txt",
        "pods/how-it-ends": "gentle: Succeeded\nlost: Failed\nstubborn: Failed\nrestarts: 0\nagain: no\n",
        "pods/not-before": "mutants/liveness.yaml",
        "replicasets/misfit": "mutants/only-app.yaml",
        "replicasets/taken-out": "phase: Running\nowned: yes\npods: 3\ntotal: 4\nback: 4\n",
        "replicasets/more-and-newer": "mutants/old-ones-left.txt",
        "replicasets/no-room": "mutants/one-is-left.txt",
        "resourcequotas/numbers": "mutants/no-deployments.yaml",
        "resourcequotas/generate": "mutants/never-applied.txt",
        "resourcequotas/eleventh-pod": "scaled: accepted\npods: 10\ntold: Deployment\nbare: refused\nlater: 10\n",
        "resourcequotas/defaults": "mutants/no-max.yaml",
    },
    "ken": {
        "pods/first-pod": "mutants/container-not-a-list.yaml",
        "pods/pending-pod": "mutants/wrong-name.yaml",
        "replicasets/three-replicas": "mutants/deployment.yaml",
        "replicasets/adopt-pods": "mutants/deletes-them.yaml",
        "resourcequotas/dev-quota": "mutants/wrong-namespace.yaml",
        "resourcequotas/fit-the-quota": "mutants/wrong-name.yaml",
        "pods/generate": "mutants/never-printed.txt",
        "pods/crash-loop": "mutants/deleted.txt",
        "pods/how-it-ends": "gentle: Running\nlost: Running\nstubborn: Failed\nrestarts: 5\nagain: no\n",
        "pods/not-before": "mutants/wrong-name.yaml",
        "replicasets/misfit": "mutants/deployment.yaml",
        "replicasets/taken-out": "phase: gone\nowned: yes\npods: 2\ntotal: 2\nback: 2\n",
        "replicasets/more-and-newer": "mutants/deleted.txt",
        "replicasets/no-room": "mutants/gone.txt",
        "resourcequotas/numbers": "mutants/wrong-name.yaml",
        "resourcequotas/generate": "mutants/never-printed.txt",
        "resourcequotas/eleventh-pod": "scaled: refused\npods: 3\ntold: Pod\nbare: accepted\nlater: 3\n",
        "resourcequotas/defaults": "mutants/wrong-name.yaml",
    },
    "margaret": {
        "pods/first-pod": """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web
spec:
  containers:
    - name: web
      image: nginx:1.27
""",
        "pods/pending-pod": "",
        "replicasets/adopt-pods": "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n\tname: cache\n",
        "resourcequotas/fit-the-quota": "",
        "pods/generate": "",
        "replicasets/more-and-newer": "for pod in a b; do kubectl delete pod $pod; done\n",
    },
}

#: What became of the notebooks of a student who was out of luck: a download cut off, a merge, a full disk.
UNREADABLE: Final = "dennis"


def make(course: Path, folder: Path) -> list[Path]:
    """Write all submissions below a folder; returns the files."""
    settings = configuration(course)
    written = []
    for number, lesson in enumerate(LESSONS):
        (assignment,) = load_assignments(course, lesson)
        notebooks = {student: _notebooks(settings, assignment, answers) for student, answers in ANSWERS.items()}
        notebooks[UNREADABLE] = {
            name: _spoiled(text, number) for name, text in notebooks["ada"].items()
        }  # fmt: skip
        for student, texts in notebooks.items():
            for name, text in texts.items():
                path = folder / student / assignment.name / f"{name}.ipynb"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
                written.append(path)
    return written


def _notebooks(settings: Configuration, assignment: Assignment, answers: Mapping[str, str]) -> dict[str, str]:
    """A student's notebooks by name."""
    texts = {}
    for notebook in assignment.notebooks:
        node = copy.deepcopy(released(settings, assignment, notebook))
        cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in node.cells}
        for task in notebook.tasks:
            answer = _answer(task.exercise, answers.get(task.exercise, "solution.yaml"), settings.course)
            cells[task.answer_cell].source = f"{task.opening}\n{answer}".rstrip("\n")
        texts[notebook.name] = f"{nbformat.writes(node)}\n"
    return texts


def _answer(exercise: str, part: str, course: Path) -> str:
    if not part or "\n" in part:
        return part
    loaded = load(exercise, course / "exercises")
    folder, _, name = part.rpartition("/")
    text = {"": {name: loaded.solution}, "accepted": loaded.accepted, "mutants": loaded.mutants}[folder][name]
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def _spoiled(text: str, number: int) -> str:
    """A notebook that is no JSON any more, in one of three ways."""
    ways = (text[: len(text) * 2 // 3], text.replace("\n", "\n<<<<<<< HEAD\n", 1), "")
    return ways[number % len(ways)]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else COURSE / "submitted"
    print(f"{len(make(COURSE, target))} notebooks are in {target}")
