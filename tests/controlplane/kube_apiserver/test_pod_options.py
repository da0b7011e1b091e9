"""Parameters of requests for logs and connections are read and refused as a real API server does."""

from __future__ import annotations

import pytest
from asking import DEFAULT, World

PODS = f"{DEFAULT}/pods"


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    container = {"image": "nginx:1.27"}
    one, two, first = ({"name": name, **container} for name in ("one", "two", "first"))
    world.create(PODS, {"metadata": {"name": "single"}, "spec": {"containers": [one]}})
    both = {"containers": [one, two], "initContainers": [first]}
    world.create(PODS, {"metadata": {"name": "double"}, "spec": both})
    world.create(PODS, {"metadata": {"name": "lost"}, "spec": {"containers": [one], "nodeName": "gone"}})
    return world


SYNTAX = 'strconv.ParseInt: parsing "{}": invalid syntax'
TIME = 'parsing time "{}" as "2006-01-02T15:04:05Z07:00": cannot parse "{}" as "{}"'


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tailLines=x", SYNTAX.format("x")),
        ("tailLines=", SYNTAX.format("")),
        ("limitBytes=1e3", SYNTAX.format("1e3")),
        ("tailLines=99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
        ("sinceTime=x", TIME.format("x", "x", "2006")),
        ("sinceTime=2020-01-01", TIME.format("2020-01-01", "", "T")),
        ("sinceTime=2020-13-01T00:00:00Z", 'parsing time "2020-13-01T00:00:00Z": month out of range'),
        ("sinceTime=2020-01-01T25:00:00Z", 'parsing time "2020-01-01T25:00:00Z": hour out of range'),
    ],
)
def test_a_parameter_that_cannot_be_read_is_a_bad_request(world: World, query: str, said: str) -> None:
    for pod in ("single", "none"):
        answer = world.ask("GET", f"{PODS}/{pod}/log?{query}")
        assert (answer.code, answer.body["message"]) == (400, said)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            "sinceSeconds=5&sinceTime=2020-01-01T00:00:00Z",
            "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        ("stream=Stdout", "stream: Forbidden: may not be specified"),
        (
            "tailLines=-1&limitBytes=0",
            "[tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be "
            "greater than 0]",
        ),
    ],
)
def test_what_makes_no_sense_is_invalid_whatever_pod_it_is_asked_of(world: World, query: str, said: str) -> None:
    for pod in ("single", "none"):
        answer = world.ask("GET", f"{PODS}/{pod}/log?{query}")
        assert (answer.code, answer.body["message"]) == (422, f'PodLogOptions "{pod}" is invalid: {said}')


@pytest.mark.parametrize(
    "query", ["", "tailLines=0", "sinceTime=null", "follow=maybe", "sinceTime=2020-01-01T00:00:00Z"]
)
def test_a_pod_without_a_node_has_no_log(world: World, query: str) -> None:
    answer = world.ask("GET", f"{PODS}/single/log?{query}")
    assert (answer.code, answer.body) == (204, "")


@pytest.mark.parametrize(
    ("pod", "query", "code", "said"),
    [
        ("double", "", 400, "a container name must be specified for pod double, choose one of: [first one two]"),
        ("double", "container=three", 400, "container three is not valid for pod double"),
        ("lost", "", 404, 'pods "gone" not found'),
        ("none", "", 404, 'pods "none" not found'),
    ],
)
@pytest.mark.parametrize("part", ["log", "exec", "attach"])
def test_which_container_is_meant_must_be_clear(
    world: World, part: str, pod: str, query: str, code: int, said: str
) -> None:
    answer = world.ask("GET", f"{PODS}/{pod}/{part}?{query}")
    assert (answer.code, answer.body["message"]) == (code, said)


@pytest.mark.parametrize("part", ["exec", "attach"])
def test_connections_need_a_node_and_cannot_be_tried(world: World, part: str) -> None:
    for query, said in (("", "pod single does not have a host assigned"), ("dryRun=All", "dryRun is not supported")):
        answer = world.ask("GET", f"{PODS}/single/{part}?{query}")
        assert (answer.code, answer.body["message"]) == (400, said)
