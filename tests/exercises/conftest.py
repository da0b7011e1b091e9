"""One cluster is booted; every judgement works on a fork of it.  And a small exercise to try things on."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.clusters import Cluster, open_cluster
from autograder.exercises import Bounds, Exercise, Runner, load

#: Seconds of wall time for a judgement that is not about time.
PATIENCE = 600

FILES = {
    "task.md": """\
---
title: Settings
kind: manifest
difficulty: easy
points: 3
minutes: 5
parameters:
  name: settings
  size: {default: 3, range: [2, 9]}
---
Write the ConfigMap `{{ name }}` whose key `colour` is `blue` and whose `size` is {{ size }}.
""",
    "starter.yaml": "# apiVersion: ...\n",
    "solution.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name }}
data:
  colour: blue
  size: "{{ size }}"
""",
    "hints.md": "It is a map.\n---\nNumbers in it are texts.\n",
    "checks.py": '''\
from __future__ import annotations

from autograder.checks import Review, criterion, gate


@gate("exists")
def exists(review: Review) -> None:
    """Who looks for it knows its name."""
    review.object("ConfigMap", review.values["name"])


@criterion("colour", points=1)
def colour(review: Review) -> None:
    """Colours matter."""
    review.object("ConfigMap", review.values["name"]).field("data.colour").equals("blue")


@criterion("size", points=2)
def size(review: Review) -> None:
    """Size matters."""
    review.object("ConfigMap", review.values["name"]).field("data.size").equals(str(review.values["size"]))
''',
    "accepted/json.yaml": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ name }}"},\n'
    ' "data": {"colour": "blue", "size": "{{ size }}"}}\n',
    "mutants/name.yaml": "# loses: exists\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n",
    "mutants/red.yaml": "# loses: colour\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ name }}}\n"
    'data: {colour: red, size: "{{ size }}"}\n',
    "mutants/large.yaml": "# loses: size\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ name }}}\n"
    'data: {colour: blue, size: "100"}\n',
}


@pytest.fixture(scope="session")
def warm() -> Cluster:
    return open_cluster("embedded")


class PatientRunner(Runner):
    """Judges as long as it takes on a machine that has much else to do; a limit that a test sets itself holds."""

    def seconds(self, exercise: Exercise) -> float:
        usual = exercise.bounds.seconds == Bounds().seconds
        return PATIENCE if usual else super().seconds(exercise)


@pytest.fixture(scope="session")
def runner(warm: Cluster) -> Runner:
    return PatientRunner(warm)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an exercise ``topic/settings``, which a test may spoil before it is loaded."""
    folder = tmp_path / "topic" / "settings"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(tmp_path))
    return folder


@pytest.fixture
def exercise(folder: Path) -> Exercise:
    return load("topic/settings")
