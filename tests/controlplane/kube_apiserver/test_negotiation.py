"""In which form answers go out, and what is said where a form, a method or a path is not to be had."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from asking import DEFAULT, World

from autograder.controlplane.apimachinery.wire import Response
from autograder.controlplane.fronts import http, yaml_answers

MAPS = f"{DEFAULT}/configmaps"
WATCH = f"{MAPS}?watch=1"
OBJECTS = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
TABLE = "as=Table;v=v1;g=meta.k8s.io"
UNACCEPTABLE = "406: Not Acceptable\n\nAvailable representations: "
ONLY = "only the following media types are accepted: "


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.create(MAPS, {"metadata": {"name": "settings"}, "data": {"answer": "42"}})
    return world


def told(answer: Response) -> tuple[int, str]:
    return answer.code, answer.body["message"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/yaml;q=0.5,application/json", "application/json"),
        ("application/json;q=0.1,application/yaml", "application/yaml"),
        ("text/html,application/json", "application/json"),
        (f"application/yaml;{TABLE}", "application/yaml"),
        ("application/json;charset=utf-8", "application/json"),
    ],
)
def test_objects_are_to_be_had_as_json_and_yaml(world: World, accept: str, media_type: str) -> None:
    for path in (MAPS, f"{MAPS}/settings"):
        answer = world.ask("GET", path, accept=accept)
        assert (answer.code, answer.content_type) == (200, media_type)


def test_yaml_says_what_json_says(world: World) -> None:
    answer = world.ask("GET", f"{MAPS}/settings", accept="application/yaml")
    sent = http.payload(answer.body, answer.content_type)
    assert sent.startswith(b'apiVersion: v1\ndata:\n  answer: "42"\nkind: ConfigMap\n')
    assert yaml.safe_load(sent) == world.ask("GET", f"{MAPS}/settings").body


def test_errors_come_in_the_form_that_is_wanted(world: World) -> None:
    answer = world.ask("GET", f"{MAPS}/none", accept="application/yaml")
    assert (answer.code, answer.content_type) == (404, "application/yaml")


@pytest.mark.parametrize(
    ("path", "accept", "said"),
    [
        (f"{MAPS}/settings", "application/cbor", UNACCEPTABLE + OBJECTS),
        (f"{MAPS}/none", "text/html", UNACCEPTABLE + OBJECTS),
        (f"{MAPS}/settings", "application/*", UNACCEPTABLE + OBJECTS),
        (MAPS, "application/xml", f"{UNACCEPTABLE}{OBJECTS}, {STREAMS}"),
        (f"{DEFAULT}/pods/none/log", "text/html", f"{UNACCEPTABLE}text/plain, {OBJECTS}"),
        (f"{DEFAULT}/pods/none/log", "text/plain", ONLY + OBJECTS),
        (f"{DEFAULT}/pods/none/log", f"application/json;{TABLE}", ONLY + OBJECTS),
        (f"{MAPS}/settings", "application/json;as=Table;v=v2;g=meta.k8s.io", ONLY + OBJECTS),
        (f"{MAPS}/settings", "application/json;as=Chair;v=v1;g=meta.k8s.io", ONLY + OBJECTS),
        (WATCH, "application/yaml", ONLY + STREAMS),
        ("/version", "application/yaml", f"{UNACCEPTABLE}application/json"),
        ("/api/v1", "text/html", UNACCEPTABLE + OBJECTS),
        ("/apis", "text/html", ONLY + OBJECTS),
        (
            f"{MAPS}/settings",
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
        ),
        (
            MAPS,
            "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
            "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
        ),
    ],
)
def test_what_cannot_be_had_is_not_acceptable(world: World, path: str, accept: str, said: str) -> None:
    assert told(world.ask("GET", path, accept=accept)) == (406, said)


IN_UNKNOWN_FORMAT = "the body of the request was in an unknown format - accepted media types include: "


def test_bodies_of_unknown_types_are_not_read(world: World) -> None:
    body = {"metadata": {"name": "settings"}}
    wrong: dict[str, Any] = {"content_type": "text/plain"}
    for method, path in (("POST", MAPS), ("PUT", f"{MAPS}/settings"), ("DELETE", f"{MAPS}/none")):
        assert told(world.ask(method, path, body=body, **wrong)) == (415, IN_UNKNOWN_FORMAT + OBJECTS)
    assert told(world.ask("PATCH", f"{MAPS}/settings", body=body, **wrong)) == (415, "415: Unsupported Media Type")
    assert world.ask("DELETE", f"{MAPS}/none", **wrong).code == 404


@pytest.mark.parametrize("path", ["/foo", "/healthz/foo", "/healthz/", "/apis/nobody.example", "//api/v1", "/openapi"])
def test_outside_of_the_api_there_is_a_page_of_text(world: World, path: str) -> None:
    answer = world.ask("GET", path)
    assert (answer.code, answer.content_type, answer.body) == (
        404, "text/plain; charset=utf-8", "404 page not found\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/api/v2", "/api/v1/foo", "/apis/apps/v2/deployments", "/api//v1/pods", "/api/v1/pods/web", "/version/x"]
)
def test_within_the_api_there_is_a_status(world: World, path: str) -> None:
    assert told(world.ask("GET", path)) == (404, "the server could not find the requested resource")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api"), ("HEAD", "/version"), ("HEAD", MAPS), ("POST", "/api/v1/pods"), ("OPTIONS", "/apis/apps/v1")],
)
def test_paths_that_are_served_by_other_methods_say_so(world: World, method: str, path: str) -> None:
    assert told(world.ask(method, path)) == (405, "the server does not allow this method on the requested resource")


def test_metrics_count_what_is_stored(world: World) -> None:
    lines = world.ask("GET", "/metrics").body.splitlines()
    assert 'apiserver_resource_objects{group="",resource="configmaps"} 1' in lines
    assert any(line.startswith("kubernetes_build_info{git_version=") for line in lines)


# ---------------------------------------------------------------- how YAML is spelt


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("true", '"true"'),
        ("y", '"y"'),
        ("1e3", '"1e3"'),
        ("0o17", '"0o17"'),
        ("2026-01-01T00:00:00Z", '"2026-01-01T00:00:00Z"'),
        ("a: b", "'a: b'"),
        ("a\nb", "|-\n  a\n  b"),
        (1, "1"),
        (True, "true"),
        ({}, "{}"),
        ([], "[]"),
        (None, "null"),
    ],
)
def test_values_are_spelt_as_go_spells_them(value: object, spelt: str) -> None:
    assert yaml_answers.dump({"k": value}).decode() == f"k: {spelt}\n"


def test_keys_stand_in_the_order_of_their_numbers_and_lists_are_not_indented() -> None:
    assert yaml_answers.dump({"k10": 1, "k9": [{"b": 1, "a": 2}]}) == b"k9:\n- a: 2\n  b: 1\nk10: 1\n"
