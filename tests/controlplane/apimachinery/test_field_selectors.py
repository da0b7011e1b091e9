"""Field selectors mean what they mean in Kubernetes."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.field_selectors import parse_fields


def test_a_field_selector_compares_whole_values() -> None:
    selector = parse_fields("metadata.name=web,status.phase!=Running")
    assert selector.matches({"metadata.name": "web", "status.phase": "Pending"})
    assert not selector.matches({"metadata.name": "web", "status.phase": "Running"})


def test_a_term_without_operator_is_no_field_selector() -> None:
    with pytest.raises(BadRequest):
        parse_fields("metadata.name")
