"""Field paths are written as Kubernetes writes them."""

from __future__ import annotations

import pytest

from autograder.manifests import FieldPath, Position, Problem, parse_path, render_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec",), "spec"),
        (("spec", "containers", 0, "image"), "spec.containers[0].image"),
        (("metadata", "labels", "app.kubernetes.io/name"), "metadata.labels[app.kubernetes.io/name]"),
        (("spec", "hard", "requests.cpu"), "spec.hard[requests.cpu]"),
        ((0, 1, "x"), "[0][1].x"),
    ],
)
def test_paths_are_written_and_read(path: FieldPath, text: str) -> None:
    assert render_path(path) == text
    assert parse_path(text) == path


def test_a_problem_reads_as_one_line() -> None:
    problem = Problem(
        "error", "unknown field", Position("pod.yaml", 7, 9), ("spec", "container"), 'did you mean "containers"?'
    )
    assert str(problem) == 'pod.yaml:7:9: spec.container: unknown field; did you mean "containers"?'
    assert str(Problem("error", "the manifest is empty")) == "the manifest is empty"
