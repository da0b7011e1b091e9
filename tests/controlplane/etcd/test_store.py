"""Both stores keep history as etcd does: revisions only rise, watches replay, forks are apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.controlplane.etcd import Compacted, Store, WriteConflict

PODS = "/registry/pods/"
WEB, DB = PODS + "default/web", PODS + "other/db"


def test_every_write_raises_the_revision_by_one_and_stamps_it(store: Store) -> None:
    first = store.put(WEB, {"image": "a"}, expected=0)
    second = store.put(WEB, {"image": "b"}, expected=first.mod_revision)
    assert second.mod_revision == first.mod_revision + 1 == store.revision
    assert second.value == {"image": "b", "revision": store.revision}
    assert (second.create_revision, second.version) == (first.create_revision, 2)


def test_a_write_that_expects_another_state_is_refused_and_changes_nothing(store: Store) -> None:
    kept = store.put(WEB, {"image": "a"}, expected=0)
    for expected in (0, kept.mod_revision + 7):
        with pytest.raises(WriteConflict) as conflict:
            store.put(WEB, {"image": "b"}, expected=expected)
        assert conflict.value.found == kept
    with pytest.raises(WriteConflict):
        store.delete(DB, expected=None)
    assert store.revision == kept.mod_revision


def test_a_range_gives_the_keys_below_a_prefix_in_order(store: Store) -> None:
    for key in (DB, WEB, PODS + "default/api", "/registry/podtemplates/default/x"):
        store.put(key, {}, expected=0)
    assert [item.key for item in store.range(PODS)] == [PODS + "default/api", WEB, DB]
    assert [item.key for item in store.range(PODS + "default/")] == [PODS + "default/api", WEB]
    assert [item.key for item in store.range(PODS, after=PODS + "default/api", limit=1)] == [WEB]
    assert [item.key for item in store.range("/registry/")] == sorted(store.keys())


def test_a_range_of_an_older_revision_shows_what_stood_then(store: Store) -> None:
    then = store.put(WEB, {"image": "a"}, expected=0).mod_revision
    store.put(WEB, {"image": "b"}, expected=None)
    store.put(DB, {}, expected=0)
    store.delete(WEB, expected=None)
    assert [(item.key, item.value["image"]) for item in store.range(PODS, revision=then)] == [(WEB, "a")]


def test_a_watch_replays_what_happened_after_a_revision_below_its_prefix(store: Store) -> None:
    start = store.put(WEB, {"image": "a"}, expected=0).mod_revision
    store.put(DB, {}, expected=0)
    store.put(WEB, {"image": "b"}, expected=None)
    watch = store.watch(PODS + "default/", after=start)
    store.delete(WEB, expected=None)
    events = watch.poll()
    assert [(event.key, event.now is None) for event in events] == [(WEB, False), (WEB, True)]
    assert events[1].before is not None and events[1].before.value["image"] == "b"
    assert watch.poll() == [] and not watch.waiting()


def test_compacted_history_can_neither_be_read_nor_watched(store: Store) -> None:
    early = store.put(WEB, {"image": "a"}, expected=0).mod_revision
    late = store.put(WEB, {"image": "b"}, expected=None).mod_revision
    slow = store.watch(PODS, after=store.compacted)
    fresh = store.watch(PODS, after=late)
    store.compact(late)
    with pytest.raises(Compacted):
        store.range(PODS, revision=early)
    with pytest.raises(Compacted):
        store.watch(PODS, after=early)
    with pytest.raises(Compacted):
        slow.poll()
    store.compact(late)
    store.put(DB, {}, expected=0)
    assert [event.key for event in fresh.poll()] == [DB]
    assert [item.value["image"] for item in store.range(PODS, revision=late)] == ["b"]


def test_a_watch_says_up_to_which_revision_everything_has_been_polled(store: Store) -> None:
    watch = store.watch(PODS, after=store.revision)
    store.put("/registry/nodes/one", {}, expected=0)
    assert watch.revision == store.revision
    first = store.put(WEB, {}, expected=0).mod_revision
    store.put(DB, {}, expected=0)
    assert watch.revision == first - 1
    seen = [event.key for event in watch.poll()]
    assert (seen, watch.revision) == ([WEB, DB], store.revision)


def test_a_fork_and_its_parent_do_not_see_each_others_writes(store: Store) -> None:
    store.put(WEB, {"image": "a"}, expected=0)
    fork = store.fork()
    fork.put(WEB, {"image": "fork"}, expected=None)
    store.put(DB, {}, expected=0)
    assert [item.value.get("image") for item in store.range(PODS)] == ["a", None]
    assert [item.value["image"] for item in fork.range(PODS)] == ["fork"]


WRITES = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(["put", "delete"]), st.integers(0, 3)), max_size=40
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(writes=WRITES, start=st.integers(0, 40))
def test_a_watch_from_any_revision_rebuilds_the_list(
    make_store: Callable[[], Store], writes: list[tuple[str, str, int]], start: int
) -> None:
    store = make_store()
    revisions = [store.revision]
    snapshots = [{}]
    for name, verb, value in writes:
        key = PODS + "default/" + name
        if verb == "put":
            store.put(key, {"value": value}, expected=None)
        elif store.get(key):
            store.delete(key, expected=None)
        revisions.append(store.revision)
        snapshots.append({item.key: item.value for item in store.range(PODS)})
    assert revisions == sorted(revisions)
    at = min(start, len(writes))
    rebuilt = {item.key: item.value for item in store.range(PODS, revision=revisions[at])}
    assert rebuilt == snapshots[at]
    for event in store.watch(PODS, after=revisions[at]).poll():
        if event.now is None:
            del rebuilt[event.key]
        else:
            rebuilt[event.key] = event.now.value
    assert rebuilt == snapshots[-1]
