"""Events of the core API and of ``events.k8s.io`` are the same objects with other names for their fields."""

from __future__ import annotations

from typing import Any

import pytest
from asking import World

from autograder.controlplane.apimachinery.wire import ADMIN

CORE = "/api/v1/namespaces/default/events"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"
POD = {"kind": "Pod", "namespace": "default", "name": "p", "uid": "u"}
OLD_EVENT = {
    "metadata": {"name": "old"}, "involvedObject": POD, "reason": "Started", "message": "started", "type": "Normal",
    "source": {"component": "kubelet"}, "count": 3, "firstTimestamp": "2026-01-01T09:00:00Z",
}  # fmt: skip
NEW_EVENT = {
    "metadata": {"name": "new"}, "regarding": POD, "reason": "Scheduled", "note": "assigned", "type": "Normal",
    "eventTime": "2026-01-01T09:00:00.000001Z", "action": "Binding", "reportingController": "default-scheduler",
    "reportingInstance": "here",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    """A cluster with one event by each API."""
    world = World()
    world.create(CORE, OLD_EVENT)
    world.create(NEW, NEW_EVENT)
    return world


def test_an_event_is_answered_as_it_was_asked_for(world: World) -> None:
    answer = world.ask("GET", f"{NEW}/new").body
    assert answer["apiVersion"] == "events.k8s.io/v1"
    assert {**answer, "metadata": {"name": "new"}}.items() >= NEW_EVENT.items()


def test_what_one_api_wrote_the_other_reads(world: World) -> None:
    as_core = world.ask("GET", f"{CORE}/new").body
    assert (as_core["apiVersion"], as_core["involvedObject"], as_core["message"]) == ("v1", POD, "assigned")
    assert as_core["reportingComponent"] == "default-scheduler"
    as_new = world.ask("GET", f"{NEW}/old").body
    assert (as_new["regarding"], as_new["note"], as_new["deprecatedCount"]) == (POD, "started", 3)
    assert as_new["deprecatedSource"] == {"component": "kubelet"}
    assert as_new["deprecatedFirstTimestamp"] == "2026-01-01T09:00:00Z"


def test_etcd_holds_the_core_form_in_one_folder(world: World) -> None:
    found = world.api.backend.store.range("/registry/events/")
    assert [(one.key, one.value["apiVersion"]) for one in found] == [
        ("/registry/events/default/new", "v1"),
        ("/registry/events/default/old", "v1"),
    ]


@pytest.mark.parametrize(("path", "field"), [(CORE, "involvedObject.name"), (NEW, "regarding.name")])
def test_lists_have_the_events_of_both_and_select_by_their_own_names(world: World, path: str, field: str) -> None:
    assert [one["metadata"]["name"] for one in world.ask("GET", path).body["items"]] == ["new", "old"]
    assert len(world.ask("GET", f"{path}?fieldSelector={field}=p").body["items"]) == 2
    other = {CORE: "regarding.name", NEW: "involvedObject.name"}[path]
    response = world.ask("GET", f"{path}?fieldSelector={other}=p")
    assert (response.code, response.body["message"]) == (400, f"field label not supported: {other}")


def test_a_watch_tells_of_both(world: World) -> None:
    stream: Any = world.ask("GET", f"{NEW}?watch=true").stream
    assert [event.object["apiVersion"] for event in stream.poll()] == ["events.k8s.io/v1"] * 2
    world.create(CORE, {**OLD_EVENT, "metadata": {"name": "later"}})
    (event,) = stream.poll()
    assert (event.type, event.object["note"]) == ("ADDED", "started")


def test_tables_are_the_same(world: World) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    tables = [world.ask("GET", path, accept=accept).body["rows"] for path in (CORE, NEW)]
    assert [row["cells"] for row in tables[0]] == [row["cells"] for row in tables[1]]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"eventTime": None}, "eventTime: Required value"),
        ({"type": "Loud"}, 'type: Invalid value: "": has invalid value: Loud'),
        ({"deprecatedCount": 2}, 'count: Invalid value: "": needs to be unset'),
        ({"reportingController": ""}, "reportingController: Required value"),
    ],
)
def test_the_newer_api_wants_events_complete(world: World, changes: Any, text: str) -> None:
    response = world.ask("POST", NEW, ADMIN, {**NEW_EVENT, "metadata": {"name": "x"}, **changes})
    assert response.code == 422
    assert text in response.body["message"]


def test_the_newer_api_changes_nothing_but_the_series(world: World) -> None:
    series = {"count": 2, "lastObservedTime": "2026-01-01T09:01:00.000000Z"}
    changed = world.ask("PUT", f"{NEW}/new", ADMIN, {**NEW_EVENT, "series": series})
    assert (changed.code, changed.body["series"]) == (200, series)
    response = world.ask("PUT", f"{NEW}/new", ADMIN, {**NEW_EVENT, "series": series, "note": "other"})
    assert response.code == 422
    assert "field is immutable" in response.body["message"]


def test_a_patch_names_fields_as_its_api_does(world: World) -> None:
    patch = {"content_type": "application/merge-patch+json"}
    assert world.ask("PATCH", f"{CORE}/old", ADMIN, {"message": "again"}, **patch).body["message"] == "again"
    series = {"series": {"count": 5, "lastObservedTime": "2026-01-01T09:01:00.000000Z"}}
    assert world.ask("PATCH", f"{NEW}/new", ADMIN, series, **patch).body["series"]["count"] == 5


def test_either_api_deletes(world: World) -> None:
    assert world.ask("DELETE", f"{NEW}/old").code == 200
    assert world.ask("GET", f"{CORE}/old").code == 404
    missing = world.ask("GET", f"{NEW}/old").body
    assert missing["message"] == 'events.events.k8s.io "old" not found'
