"""Label and field selectors mean what they mean in Kubernetes."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import BadRequest

LABELS = {"app": "web", "tier": "front", "level": "5"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app=db", False),
        ("app!=db", True),
        ("missing!=x", True),
        ("app in (web, db)", True),
        ("app notin (web,db)", False),
        ("missing notin (a)", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("level>4", True),
        ("level < 4", False),
        ("missing>1", False),
        ("app in (web),!missing , tier!=back", True),
    ],
)
def test_a_label_selector_matches_by_meaning(text: str, matches: bool) -> None:
    assert selectors.parse_labels(text).matches(LABELS) is matches


@pytest.mark.parametrize("text", ["app in web", "app in (web", "=web", "app=web,,", "a b", "level>x", "app=(web)", ","])
def test_a_malformed_label_selector_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        selectors.parse_labels(text)


def test_an_absent_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert not selectors.of_object(None).matches(LABELS)
    assert selectors.of_object({}).matches(LABELS)
    assert not selectors.of_map({}).matches(LABELS)


def test_expressions_and_labels_of_an_object_must_all_hold() -> None:
    expressions = [{"key": "tier", "operator": "In", "values": ["front"]}, {"key": "old", "operator": "DoesNotExist"}]
    selector = selectors.of_object({"matchLabels": {"app": "web"}, "matchExpressions": expressions})
    assert selector.matches(LABELS)
    assert not selector.matches({**LABELS, "old": ""})
    assert str(selector) == "app=web,!old,tier=front"


def test_a_field_selector_compares_whole_values() -> None:
    selector = selectors.parse_fields("metadata.name=web,status.phase!=Running")
    assert selector.matches({"metadata.name": "web", "status.phase": "Pending"})
    assert not selector.matches({"metadata.name": "web", "status.phase": "Running"})
    assert selector.exact("metadata.name") == "web" and selector.exact("status.phase") is None


def test_a_term_without_operator_is_no_field_selector() -> None:
    with pytest.raises(BadRequest):
        selectors.parse_fields("metadata.name")
