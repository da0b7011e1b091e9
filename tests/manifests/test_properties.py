"""What holds for every input."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.manifests import check_schema, parse, parse_path, render_path

#: Between 2^53 and 2^64 a float goes through Go's JSON in its shortest form, which may be another integer.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not 2**53 < abs(number) < 2**64)
NAMES = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FLOATS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES.filter(lambda name: name != "kind"), JSON, max_size=5)
YAMLISH = st.text(alphabet="ab:-?*&!|>{}[],#%@'\"\\ \n\t\r0.~<=", max_size=60)
KINDS = st.sampled_from(["Pod", "Deployment", "Service", "ConfigMap", "pod", "X"])


@given(st.binary(max_size=200))
def test_of_any_bytes_there_is_something_to_say(data: bytes) -> None:
    manifest = parse(data)
    assert manifest.documents or manifest.problems


@given(YAMLISH | st.text(max_size=60))
@settings(max_examples=500)
def test_no_text_makes_parse_raise(text: str) -> None:
    manifest = parse(text)
    assert manifest.documents or manifest.problems
    for problem in manifest.problems:
        assert problem.position is not None
        assert 1 <= problem.position.line <= len(text.splitlines()) + 1
        assert problem.position.column >= 1


@given(OBJECTS, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_means_what_it_says(value: dict[str, object], ascii_only: bool, indent: int | str | None) -> None:
    manifest = parse(json.dumps(value, ensure_ascii=ascii_only, indent=indent))
    if "\0" in json.dumps(value, ensure_ascii=False):
        return
    assert manifest.problems == ()
    assert [document.value for document in manifest.documents] == [value]


@given(KINDS, JSON, JSON)
def test_no_object_makes_the_schema_check_raise(kind: str, metadata: object, spec: object) -> None:
    value = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec, "data": spec}
    (document,) = parse(json.dumps(value)).documents
    for problem in check_schema(document):
        assert problem.position is not None
        assert problem.message


@given(st.lists(st.from_regex(r"[a-z][a-zA-Z]*|[a-z]+\.[a-z]+/[a-z]+", fullmatch=True) | st.integers(0, 99)))
def test_paths_are_read_back(path: list[str | int]) -> None:
    assert parse_path(render_path(tuple(path))) == tuple(path)
