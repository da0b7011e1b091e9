"""The generation of a DaemonSet's template, which clients see as an annotation and only the server counts."""

from __future__ import annotations

from typing import Any

import pytest
from asking import Object, World

DAEMON_SETS = "/apis/apps/v1/namespaces/default/daemonsets"
AGENT = f"{DAEMON_SETS}/agent"
GENERATION = "deprecated.daemonset.template.generation"
MERGE = "application/merge-patch+json"


def agent(generation: str | None = None, image: str = "busybox:1.36") -> Object:
    template: Object = {
        "metadata": {"labels": {"app": "agent"}},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }
    metadata: Object = {"name": "agent"}
    if generation is not None:
        metadata["annotations"] = {GENERATION: generation}
    return {"metadata": metadata, "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template}}


def counted(answer: Any) -> str:
    return str(answer.body["metadata"]["annotations"][GENERATION])


@pytest.mark.parametrize(
    ("given", "counts_from"), [(None, "1"), ("0", "1"), ("-3", "1"), ("7", "7"), ("+7", "7"), ("007", "7")]
)
def test_counts_from_what_a_client_gives(given: str | None, counts_from: str) -> None:
    assert counted(World().ask("POST", DAEMON_SETS, body=agent(given))) == counts_from


@pytest.mark.parametrize(
    ("given", "why"), [("x", "invalid syntax"), ("", "invalid syntax"), ("9" * 20, "value out of range")]
)
def test_refuses_what_is_no_number(given: str, why: str) -> None:
    answer = World().ask("POST", DAEMON_SETS, body=agent(given))
    parsing = f'strconv.ParseInt: parsing "{given}": {why}'
    assert answer.code == 400
    assert answer.body["message"] == f'DaemonSet in version "v1" cannot be handled as a DaemonSet: {parsing}'


def test_counts_changes_of_the_template_and_nothing_else() -> None:
    world = World()
    world.create(DAEMON_SETS, agent("5"))
    assert counted(world.ask("PUT", AGENT, body=agent("99"))) == "5"
    assert counted(world.ask("PUT", AGENT, body=agent("99", "busybox:latest"))) == "6"
    status = {"metadata": {"annotations": {GENERATION: "42"}}, "status": {"numberReady": 1}}
    assert counted(world.ask("PATCH", f"{AGENT}/status", body=status, content_type=MERGE)) == "6"


def test_the_annotation_is_managed_by_who_makes_the_object_and_who_leaves_it_out() -> None:
    world = World()
    world.create(f"{DAEMON_SETS}?fieldManager=maker", agent())
    world.ask("PUT", f"{AGENT}?fieldManager=other", body=agent())
    managed = world.ask("GET", AGENT).body["metadata"]["managedFields"]
    owners = [one["manager"] for one in managed if f"f:{GENERATION}" in str(one["fieldsV1"])]
    assert owners == ["other"]
