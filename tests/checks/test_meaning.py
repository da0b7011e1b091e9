"""Quantities, images and selectors mean more than their text."""

from __future__ import annotations

import pytest

from autograder.checks.meaning import as_quantity, same_image, selector_matches, shown


@pytest.mark.parametrize(
    ("one", "other"), [("1", 1), ("1000m", 1), ("0.5", "500m"), ("1Gi", "1024Mi"), ("1e3", "1k"), (0.25, "250m")]
)
def test_equal_amounts(one: object, other: object) -> None:
    assert as_quantity(one) == as_quantity(other)


@pytest.mark.parametrize("value", [True, None, "much", [], {}, "1 Gi", ""])
def test_what_is_no_amount(value: object) -> None:
    assert as_quantity(value) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("nginx", "nginx:latest", True),
        ("docker.io/library/nginx:1.27", "nginx:1.27", True),
        ("docker.io/nginx:1.27", "nginx:1.27", True),
        ("nginx:1.27", "nginx:1.27-alpine", False),
        ("my-nginx:1.27", "nginx:1.27", False),
        ("registry.example:5000/nginx:1.27", "nginx:1.27", False),
        ("someone/nginx:1.27", "nginx:1.27", False),
        (None, "nginx", False),
        ("NGINX::", "nginx", False),
    ],
)
def test_images(one: object, other: str, same: bool) -> None:
    assert same_image(one, other) is same


@pytest.mark.parametrize(
    ("selector", "labels", "selects"),
    [
        ({"app": "web"}, {"app": "web", "x": "y"}, True),
        ({"matchLabels": {"app": "web"}}, {"app": "web"}, True),
        ({"matchLabels": {"app": "web"}}, {"app": "db"}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, {"app": "db"}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {}, False),
        (None, {"app": "web"}, False),
    ],
)
def test_selectors(selector: object, labels: dict[str, str], selects: bool) -> None:
    assert selector_matches(selector, labels) is selects


def test_values_are_quoted_short_and_on_one_line() -> None:
    assert shown({"app": "web", "on": True, "n": None}) == "app: web, on: true, n: null"
    assert shown(["b", 1]) == "b, 1"
    assert len(shown("x" * 5000)) == 200
