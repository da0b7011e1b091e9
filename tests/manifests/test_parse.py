"""parse() reads what kubectl reads, and knows where everything stands."""

from __future__ import annotations

import json

import pytest

from autograder.manifests import Document, Position, parse

POD = """\
# a pod
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  labels: {app.kubernetes.io/name: web}
spec:
  containers:
    - name: nginx
      image: nginx:1.27
      ports:
        - containerPort: 80
"""


def only(text: str | bytes, source: str = "pod.yaml") -> Document:
    manifest = parse(text, source=source)
    assert manifest.problems == ()
    (document,) = manifest.documents
    return document


def test_an_object_is_plain_data() -> None:
    assert only(POD).value == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app.kubernetes.io/name": "web"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]},
    }


def test_a_document_says_what_it_is() -> None:
    pod = only(POD)
    assert (pod.api_version, pod.kind, pod.name, pod.namespace, pod.source) == ("v1", "Pod", "web", "shop", "pod.yaml")


def test_what_is_missing_or_no_text_is_said_as_empty_text() -> None:
    strange = only("kind: 5\nmetadata: [name]\n")
    assert (strange.api_version, strange.kind, strange.name, strange.namespace) == ("", "", "", "")


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 2, 1),
        (("metadata", "name"), 5, 9),
        (("spec", "containers"), 10, 5),
        (("spec", "containers", 0), 10, 7),
        (("spec", "containers", 0, "image"), 11, 14),
        ("spec.containers[0].ports[0].containerPort", 13, 26),
        ("metadata.labels[app.kubernetes.io/name]", 7, 36),
    ],
)
def test_every_value_has_a_position(path: tuple[str | int, ...] | str, line: int, column: int) -> None:
    assert only(POD).position(path) == Position("pod.yaml", line, column)


def test_every_key_has_a_position() -> None:
    pod = only(POD)
    assert pod.key_position("spec.containers[0].image") == Position("pod.yaml", 11, 7)
    assert pod.key_position("metadata.labels[app.kubernetes.io/name]") == Position("pod.yaml", 7, 12)
    assert pod.key_position("spec.containers[0]") == pod.position("spec.containers[0]")


@pytest.mark.parametrize("path", ["status", "spec.containers[1]", "spec.containers.name", "metadata.name.x"])
def test_a_field_that_is_not_there_has_no_position(path: str) -> None:
    assert only(POD).position(path) is None
    assert only(POD).key_position(path) is None


def test_a_field_that_is_not_there_is_near_the_field_around_it() -> None:
    pod = only(POD)
    assert pod.nearest_position("spec.volumes[0].name") == pod.key_position("spec")
    assert pod.nearest_position("spec.containers[0].env") == pod.position("spec.containers[0]")
    assert pod.nearest_position("status") == pod.position()
    assert pod.nearest_position("metadata.name") == pod.position("metadata.name")


def test_a_scalar_is_known_as_it_was_written() -> None:
    document = only("mode: 010\nname: 'x'\nlist: []\n")
    assert (document.raw("mode"), document.raw("name"), document.raw("list")) == ("010", "x", None)


def test_several_documents_have_positions_in_the_one_file() -> None:
    manifest = parse("---\na: 1\n---\n# nothing here\n--- # comment\nb: 2\n...\n---\n\nc: 3\n", source="m")
    assert manifest.problems == ()
    assert [document.value for document in manifest.documents] == [{"a": 1}, {"b": 2}, {"c": 3}]
    places = [document.position(next(iter(document.value))) for document in manifest.documents]
    assert places == [Position("m", 2, 4), Position("m", 6, 4), Position("m", 10, 4)]


def test_three_dashes_inside_of_text_separate_nothing() -> None:
    assert only("a: |\n  ---\n  b: 1\n").value == {"a": "---\nb: 1\n"}


def test_a_directive_stays_with_its_document() -> None:
    assert only("%YAML 1.1\n---\na: 1\n").value == {"a": 1}


def test_a_list_is_taken_apart() -> None:
    manifest = parse(
        "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: List\n  items:\n  - kind: B\n  - kind: C\n", source="m"
    )
    assert [document.kind for document in manifest.documents] == ["A", "B", "C"]
    assert [document.position("kind") for document in manifest.documents] == [
        Position("m", 4, 9),
        Position("m", 7, 11),
        Position("m", 8, 11),
    ]


def test_an_entry_of_a_list_that_is_no_object_is_a_problem() -> None:
    manifest = parse("kind: List\nitems:\n- kind: A\n- [b]\n-\n", source="m")
    assert [document.kind for document in manifest.documents] == ["A"]
    assert [(problem.path, problem.position) for problem in manifest.problems] == [
        (("items", 1), Position("m", 4, 3)),
        (("items", 2), Position("m", 5, 2)),
    ]


JSON = '{\n "kind": "Pod",\n "metadata": {"name": "\\ud83d\\ude00", "x": [1.5, true, null, -0, 1e3]}\n}'


def test_json_is_read_with_positions() -> None:
    document = only(JSON)
    assert document.value == {"kind": "Pod", "metadata": {"name": "😀", "x": [1.5, True, None, 0, 1000]}}
    line = JSON.splitlines()[2]
    assert document.position("metadata.x[1]") == Position("pod.yaml", 3, line.index("true") + 1)
    assert document.key_position("metadata.x") == Position("pod.yaml", 3, line.index('"x"') + 1)


def test_json_objects_may_follow_each_other() -> None:
    manifest = parse(json.dumps({"a": 1}) + "\n" + json.dumps({"b": 2}))
    assert [document.value for document in manifest.documents] == [{"a": 1}, {"b": 2}]


def test_yaml_in_braces_is_yaml() -> None:
    assert only("{kind: Pod, on: [a,]}\n---\n").value == {"kind": "Pod", "true": ["a"]}


def test_half_a_surrogate_pair_is_replaced_as_go_does() -> None:
    assert only('{"a": "\\ud800"}').value == {"a": "\ufffd"}


def test_an_alias_stands_for_a_copy_and_points_to_the_original() -> None:
    document = only("a: &x\n  k: [1]\nb: *x\n", source="m")
    assert document.value == {"a": {"k": [1]}, "b": {"k": [1]}}
    assert document.value["a"]["k"] is not document.value["b"]["k"]
    assert document.position("b.k[0]") == Position("m", 2, 7)


def test_merge_keys_are_merged_in_the_order_of_kubectl() -> None:
    document = only("x: &x {a: 1, b: 1}\nv: {<<: *x, b: 2}\nw: {b: 2, <<: [{a: 3}, *x]}\n'<<': 5\n")
    assert document.value["v"] == {"a": 1, "b": 2}
    assert document.value["w"] == {"a": 3, "b": 1}
    assert document.value["<<"] == 5


def test_a_byte_order_mark_is_ignored() -> None:
    assert only(b"\xef\xbb\xbfa: 1").value == only("\ufeffa: 1").value == {"a": 1}


def test_windows_line_ends_are_read() -> None:
    document = only("a: 1\r\nb:\r\n  c: 2\r\n", source="m")
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert document.position("b.c") == Position("m", 3, 6)
