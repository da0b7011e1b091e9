"""Values drawn for each student from the course's secret."""

from __future__ import annotations

from collections import Counter

import pytest

from autograder.exercises.parameters import BadParameter, Parameter, defaults, draw, render, spread

PARAMETERS = {
    "name": Parameter.parse("name", "web"),
    "replicas": Parameter.parse("replicas", {"default": 3, "choices": [3, 4, 5]}),
    "port": Parameter.parse("port", {"default": 8080, "range": [8000, 8099]}),
}


def test_defaults() -> None:
    assert defaults(PARAMETERS) == {"name": "web", "replicas": 3, "port": 8080}


def test_a_student_gets_the_same_values_every_time() -> None:
    values = [draw(PARAMETERS, secret=b"s", exercise="pods/x", student="ada") for _ in range(2)]
    assert values[0] == values[1]


def test_students_secrets_and_exercises_differ() -> None:
    ports = {
        draw(PARAMETERS, secret=secret, exercise=exercise, student=student)["port"]
        for secret in (b"one", b"two") for exercise in ("pods/x", "pods/y") for student in ("ada", "grace", "edsger")
    }  # fmt: skip
    assert len(ports) > 8


def test_all_choices_are_drawn_about_equally() -> None:
    drawn = Counter(
        draw(PARAMETERS, secret=b"s", exercise="pods/x", student=f"student{number}")["replicas"]
        for number in range(600)
    )
    assert set(drawn) == {3, 4, 5}
    assert min(drawn.values()) > 150


def test_every_choice_occurs_in_what_is_tried() -> None:
    sets = spread(PARAMETERS, 5)
    assert {chosen["replicas"] for chosen in sets} == {3, 4, 5}
    assert {8000, 8099} <= {chosen["port"] for chosen in sets}
    assert len(sets) == 5
    assert spread({"name": PARAMETERS["name"]}, 5) == [{"name": "web"}]


def test_placeholders_are_filled_in() -> None:
    assert render("{{name}} and {{ replicas }}", {"name": "web", "replicas": 3}, source="task.md") == "web and 3"


def test_an_unknown_placeholder_is_named_with_its_line() -> None:
    with pytest.raises(BadParameter, match=r"task.md:2: \{\{ nmae \}\} is not among the parameters \(name\)"):
        render("x\n{{ nmae }}", {"name": "web"}, source="task.md")


@pytest.mark.parametrize(
    "declared",
    [None, True, [], {}, {"choices": [1]}, {"default": 1, "choices": [2, 3]}, {"default": 1, "range": [2, 3]},
     {"default": 1, "range": [1]}, {"default": 1, "range": ["a", "b"]}, {"default": 1, "values": [1]}],
)  # fmt: skip
def test_a_wrong_declaration_is_explained(declared: object) -> None:
    with pytest.raises(BadParameter, match="parameter port"):
        Parameter.parse("port", declared)
