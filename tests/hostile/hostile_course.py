"""A course for hostile students: manifests, commands, and a Pod that runs what they please."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import small_course
from small_course import ASSIGNMENT, CHECKS, EXERCISES, NOTEBOOK, SmallCourse, cell_id, cell_of, code, file_of

Json = dict[str, Any]

SETTINGS, LIMITS = EXERCISES
COMMANDS, POD = "maps/by-command", "pods/worker"
#: All exercises, of 3 points each, with a right answer and how its cell begins.
ANSWERS = {
    SETTINGS: small_course.answer_to(SETTINGS),
    LIMITS: small_course.answer_to(LIMITS),
    COMMANDS: "kubectl create configmap by-command --from-literal=colour=blue --from-literal=size=3\n",
    POD: "apiVersion: v1\nkind: Pod\nmetadata: {name: worker}\nspec:\n  containers:\n"
    "  - {name: worker, image: 'busybox:1.36', command: [sh, -c, 'echo done; sleep 3600']}\n",
}
OPENINGS = {
    SETTINGS: f"%%manifest {file_of(SETTINGS)}",
    LIMITS: f"%%manifest {file_of(LIMITS)}",
    COMMANDS: "%%commands by-command.txt",
    POD: "%%manifest worker.yaml",
}
_POD_CHECKS = '''\
from autograder.checks import Review, criterion, gate


@gate("exists")
def exists(review: Review) -> None:
    """Who looks for it knows its name."""
    review.cluster.advance(60)
    review.object("Pod", "worker")


@criterion("runs", points=2)
def runs(review: Review) -> None:
    """It has work to do."""
    review.object("Pod", "worker").field("status.phase").equals("Running")


@criterion("image", points=1)
def image(review: Review) -> None:
    """It is small."""
    review.object("Pod", "worker").container().field("image").is_image("busybox:1.36")
'''
_TASK = "---\ntitle: {title}\nkind: {kind}\npoints: 3\nminutes: 5\n---\nMake `{title}`.\n"


def build(root: Path) -> SmallCourse:
    """Write the course's files into a folder."""
    course = small_course.build(root)
    for exercise, kind, ending, checks in (
        (COMMANDS, "commands", "txt", CHECKS.format(name="by-command")),
        (POD, "manifest", "yaml", _POD_CHECKS),
    ):
        folder = root / "exercises" / exercise
        folder.mkdir(parents=True)
        (folder / "task.md").write_text(_TASK.format(title=exercise.partition("/")[2], kind=kind))
        (folder / f"starter.{ending}").write_text("# write it here\n")
        (folder / f"solution.{ending}").write_text(ANSWERS[exercise])
        (folder / "hints.md").write_text("Read.\n---\nThink.\n")
        (folder / "checks.py").write_text(checks)
    source = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.write_text(json.dumps(notebook()))
    return course


def notebook(**answers: str) -> Json:
    """A notebook with right answers, but for those that are given: by the last part of the exercise's name."""
    document = small_course.source_notebook()
    for exercise in (COMMANDS, POD):
        document["cells"].append(code("", cell_id("answer", exercise), grade=False, solution=True))
        check = code(
            f'check("{exercise}")', cell_id("check", exercise), grade=True, solution=False, locked=True, points=3
        )
        document["cells"].append(check)
    for exercise, right in ANSWERS.items():
        text = answers.get(exercise.partition("/")[2].replace("-", "_"), right)
        cell_of(document, cell_id("answer", exercise))["source"] = f"{OPENINGS[exercise]}\n{text}"
    return document


def wrong() -> Json:
    """A notebook in which every answer is wrong: it makes something else than what was asked for."""
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"
    return notebook(settings=other, limits=other, worker=other, by_command="kubectl create configmap other\n")
