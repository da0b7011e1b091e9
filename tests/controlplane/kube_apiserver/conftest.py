"""What tests of defaulting and validation share: a manifest as the API server sees it when it judges it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from autograder.controlplane.apimachinery import types
from autograder.controlplane.kube_apiserver import decoding, defaulting, preparing, validation

Object = dict[str, Any]


def _read(manifest: str | Object) -> tuple[str, Object]:
    document = yaml.safe_load(manifest) if isinstance(manifest, str) else copy.deepcopy(manifest)
    type_name = types.type_name(document["apiVersion"], document["kind"])
    assert type_name is not None
    read = decoding.decode(document, type_name, kind=document["kind"], api_version=document["apiVersion"]).object
    defaulting.default(type_name, read)
    return type_name, read


@pytest.fixture
def completed() -> Callable[[str | Object], Object]:
    """The object that a manifest makes: decoded, with defaults, with what the server decides of a new object."""

    def complete(manifest: str | Object) -> Object:
        type_name, obj = _read(manifest)
        preparing.prepare_for_create(type_name, obj)
        return obj

    return complete


@pytest.fixture
def refusals(completed: Callable[[str | Object], Object]) -> Callable[[str | Object], list[str]]:
    """What is said against a new object, in order."""

    def judge(manifest: str | Object) -> list[str]:
        obj = completed(manifest)
        type_name = types.type_name(obj["apiVersion"], obj["kind"])
        assert type_name is not None
        return [str(error) for error in validation.validate_create(type_name, obj)]

    return judge


@pytest.fixture
def refusals_of_change(
    completed: Callable[[str | Object], Object],
) -> Callable[[str | Object, str | Object], list[str]]:
    """What is said against a change from one manifest to another, each thing once."""

    def judge(before: str | Object, after: str | Object) -> list[str]:
        old = completed(before)
        old["metadata"]["resourceVersion"] = "1"
        type_name, new = _read(after)
        new["metadata"]["resourceVersion"] = "1"
        new["metadata"]["generation"] = old["metadata"].get("generation", 0)
        untouched = copy.deepcopy(old)
        preparing.prepare_for_update(type_name, new, old)
        errors = validation.validate_update(type_name, new, old)
        assert old == untouched
        return list(dict.fromkeys(str(error) for error in errors))

    return judge
