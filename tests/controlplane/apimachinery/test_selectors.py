"""Label selectors mean what they mean in Kubernetes."""

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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("app=web,,", "found ',', expected: identifier after ','"),
        ("app=web,", "found '', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("app=(web)", "unable to parse requirement: found '(', expected: identifier"),
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        (
            "level>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, "
            "the value must be an integer",
        ),
    ],
)
def test_a_malformed_label_selector_is_refused_in_the_words_of_a_real_server(text: str, message: str) -> None:
    with pytest.raises(BadRequest) as error:
        selectors.parse_labels(text)
    assert error.value.message == message


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


@pytest.mark.parametrize(("operator", "value", "matches"), [
    ("Gt", "4", True), ("Gt", "5", False), ("Lt", "6", True), ("Gt", "four", False), ("Lt", "9" * 5000, False),
])  # fmt: skip
def test_only_integers_are_greater_or_less(operator: str, value: str, matches: bool) -> None:
    selector = selectors.of_expressions([{"key": "level", "operator": operator, "values": [value]}])
    assert selector.matches(LABELS) is matches
    assert not selector.matches({"level": "high"})
