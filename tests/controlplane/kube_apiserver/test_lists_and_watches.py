"""Lists and watches as of a revision: pages, selectors, bookmarks, and history that is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response, WatchEvent
from autograder.controlplane.cluster import Cluster

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=[], without=["kube-controller-manager"])


def ask(cluster: Cluster, path: str = CONFIGMAPS, method: str = "GET", body: Any = b"", **query: str) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"} if method in ("POST", "PUT") else {}
    if method == "PATCH":
        headers["content-type"] = "application/merge-patch+json"
    return cluster.handle(Request(method, path, {name: [text] for name, text in query.items()}, headers, data, ADMIN))


def create(cluster: Cluster, name: str, **labels: str) -> int:
    """Create a ConfigMap; its revision."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
    answer = ask(cluster, method="POST", body=body)
    assert answer.code == 201, answer.body
    return int(answer.body["metadata"]["resourceVersion"])


def names(answer: Response) -> list[str]:
    assert answer.code == 200, answer.body
    return [item["metadata"]["name"] for item in answer.body["items"]]


def told(stream: Any) -> list[tuple[str, str]]:
    return [(event.type, event.object["metadata"].get("name", "")) for event in stream.poll()]


def compacted(cluster: Cluster) -> None:
    """Let the cluster forget what happened until now."""
    create(cluster, f"later-{cluster.store.revision}")
    cluster.advance(650)
    assert cluster.store.compacted


# ------------------------------------------------------------ pages


def test_pages_show_the_list_as_it_stood_at_the_first_one(cluster: Cluster) -> None:
    for name in "abcde":
        create(cluster, name)
    first = ask(cluster, limit="2")
    assert names(first) == ["a", "b"] and first.body["metadata"]["remainingItemCount"] == 3
    create(cluster, "bb")
    ask(cluster, f"{CONFIGMAPS}/c", "DELETE")
    second = ask(cluster, limit="2", **{"continue": first.body["metadata"]["continue"]})
    third = ask(cluster, limit="2", **{"continue": second.body["metadata"]["continue"]})
    assert names(second) == ["c", "d"] and names(third) == ["e"]
    assert third.body["metadata"] == {"resourceVersion": first.body["metadata"]["resourceVersion"]}


def test_a_page_whose_history_is_gone_offers_the_rest_as_it_stands_now(cluster: Cluster) -> None:
    for name in "abc":
        create(cluster, name)
    first = ask(cluster, limit="1")
    ask(cluster, f"{CONFIGMAPS}/b", "DELETE")
    compacted(cluster)
    late = ask(cluster, limit="1", **{"continue": first.body["metadata"]["continue"]})
    assert (late.code, late.body["reason"]) == (410, "Expired")
    assert late.body["message"].startswith("The provided continue parameter is too old to display a consistent list")
    rest = ask(cluster, **{"continue": late.body["metadata"]["continue"]})
    assert names(rest)[0] == "c"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("%%%", "continue key is not valid: illegal base64 data at input byte 0"),
        ("abcde", "continue key is not valid: illegal base64 data at input byte 4"),
        ("e30", "server does not recognize this encoded version "),
        ("bm9wZQ", "continue key is not valid"),
        ("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0", "incorrect encoded start resourceVersion"),
        ("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIuLi9zZWNyZXRzL2EifQ", "continue key is not valid"),
    ],
    ids=["no base64", "a letter too many", "no version", "no JSON", "no revision", "another folder"],
)
def test_a_token_that_is_not_ours_is_refused(cluster: Cluster, token: str, why: str) -> None:
    answer = ask(cluster, **{"continue": token})
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"].startswith("invalid continue token: ") and why in answer.body["message"]


# ------------------------------------------------------------ revisions


def test_only_an_exact_revision_shows_the_past(cluster: Cluster) -> None:
    then = str(create(cluster, "a"))
    create(cluster, "b")
    assert names(ask(cluster, resourceVersion=then, resourceVersionMatch="Exact")) == ["a"]
    assert names(ask(cluster, resourceVersion=then, limit="9")) == ["a"]
    assert names(ask(cluster, resourceVersion=then)) == ["a", "b"]
    assert names(ask(cluster, resourceVersion=then, resourceVersionMatch="NotOlderThan")) == ["a", "b"]
    assert names(ask(cluster, resourceVersion="0")) == ["a", "b"]


def test_a_list_of_a_revision_that_is_gone_has_expired(cluster: Cluster) -> None:
    then = str(create(cluster, "a"))
    compacted(cluster)
    answer = ask(cluster, resourceVersion=then, resourceVersionMatch="Exact")
    assert (answer.code, answer.body["reason"]) == (410, "Expired")
    assert answer.body["message"] == "The resourceVersion for the provided list is too old."


@pytest.mark.parametrize("path", [CONFIGMAPS, f"{CONFIGMAPS}/a"])
def test_a_revision_that_has_not_happened_is_not_waited_for(cluster: Cluster, path: str) -> None:
    current = create(cluster, "a")
    answer = ask(cluster, path, resourceVersion=str(current + 100))
    assert (answer.code, answer.body["reason"]) == (504, "Timeout")
    assert answer.body["message"] == f"Timeout: Too large resource version: {current + 100}, current: {current}"
    assert answer.body["details"] == {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"resourceVersionMatch": "Exact"}, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        ({"resourceVersionMatch": "Newest", "resourceVersion": "1"}, 'Unsupported value: "Newest"'),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 'forbidden for resourceVersion "0"'),
        ({"sendInitialEvents": "true"}, "sendInitialEvents is forbidden for list"),
        ({"watch": "1", "sendInitialEvents": "true"}, "requires setting resourceVersionMatch to NotOlderThan"),
        ({"watch": "1", "resourceVersionMatch": "NotOlderThan"}, "forbidden for watch unless sendInitialEvents"),
    ],
)
def test_options_that_contradict_each_other_are_invalid(cluster: Cluster, query: dict[str, str], message: str) -> None:
    answer = ask(cluster, **query)
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert message in answer.body["message"]


def test_a_revision_that_is_no_number_is_refused(cluster: Cluster) -> None:
    why = 'resourceVersion: Invalid value: "new": strconv.ParseUint: parsing "new": invalid syntax'
    listed, watched = ask(cluster, resourceVersion="new"), ask(cluster, resourceVersion="new", watch="1")
    one = ask(cluster, f"{CONFIGMAPS}/a", resourceVersion="new")
    assert (listed.code, listed.body["message"]) == (400, f"invalid resource version: {why}")
    assert (watched.code, watched.body["message"]) == (one.code, one.body["message"]) == (500, why)


@pytest.mark.parametrize(("plural", "pages"), [("configmaps", False), ("events", True)])
def test_a_list_of_any_revision_comes_whole_from_the_cache_that_most_kinds_have(
    cluster: Cluster, plural: str, pages: bool
) -> None:
    path = f"/api/v1/namespaces/default/{plural}"
    for name in "abc":
        about = {"involvedObject": {"namespace": "default"}} if plural == "events" else {}
        ask(cluster, path, "POST", {"metadata": {"name": name}, **about})
    answer = ask(cluster, path, resourceVersion="0", limit="1")
    assert ("continue" in answer.body["metadata"], len(answer.body["items"]) == 1) == (pages, pages)


@pytest.mark.parametrize(
    ("text", "watches"), [("true", True), ("yes", True), ("", True), ("0", False), ("False", False)]
)
def test_every_text_but_0_and_false_says_yes(cluster: Cluster, text: str, watches: bool) -> None:
    assert (ask(cluster, watch=text).stream is not None) == watches


@pytest.mark.parametrize(
    ("selector", "answer"),
    [
        ("=", None),
        ("metadata.name=a\\,b", None),
        ("metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
    ],
)
def test_values_of_fields_are_written_with_escapes(cluster: Cluster, selector: str, answer: str | None) -> None:
    found = ask(cluster, fieldSelector=selector)
    assert (found.code, found.body.get("message")) == (400 if answer else 200, answer)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("-a=b", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'),
        ("app=b_", 'unable to parse requirement: values[0][app]: Invalid value: "b_": a valid label must be'),
        ("app=b;c=d", 'unable to parse requirement: values[0][app]: Invalid value: "b;c": a valid label must be'),
        ("app in (b_,-a)", 'unable to parse requirement: [values[0][app]: Invalid value: "-a": a valid label'),
    ],
)
def test_a_label_that_no_object_can_have_is_refused(cluster: Cluster, selector: str, message: str) -> None:
    answer = ask(cluster, labelSelector=selector)
    assert answer.code == 400
    assert answer.body["message"].startswith(message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (CONFIGMAPS, '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'),
        ("/api/v1/namespaces/default/pods", "field label not supported: spec.x"),
        ("/apis/batch/v1/namespaces/default/jobs", 'field label "spec.x" not supported for Job'),
    ],
)
def test_a_field_that_cannot_be_selected_by_is_named(cluster: Cluster, path: str, message: str) -> None:
    answer = ask(cluster, path, fieldSelector="spec.x=1")
    assert (answer.code, answer.body["message"]) == (400, message)


@pytest.mark.parametrize("name", ["limit", "timeoutSeconds"])
def test_a_number_that_is_none_is_a_bad_request(cluster: Cluster, name: str) -> None:
    for watch in ("0", "1"):
        answer = ask(cluster, watch=watch, **{name: "ten"})
        assert (answer.code, answer.body["message"]) == (400, 'strconv.ParseInt: parsing "ten": invalid syntax')


# ------------------------------------------------------------ watches


def test_a_watch_begins_with_all_there_is_and_says_when_that_is_all(cluster: Cluster) -> None:
    create(cluster, "a")
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    stream = ask(cluster, watch="1", **query).stream
    assert stream is not None
    added, end = stream.poll()
    assert (added.type, added.object["metadata"]["name"]) == ("ADDED", "a")
    assert end == WatchEvent(
        "BOOKMARK",
        {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {
                "resourceVersion": str(cluster.store.revision),
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        },
    )
    create(cluster, "b")
    assert told(stream) == [("ADDED", "b")]


def test_an_object_that_begins_or_ceases_to_match_is_added_or_deleted(cluster: Cluster) -> None:
    start = str(create(cluster, "a", tier="web"))
    stream = ask(cluster, watch="1", resourceVersion=start, labelSelector="tier=web").stream
    assert stream is not None
    for tier in ("db", "web"):
        ask(cluster, f"{CONFIGMAPS}/a", "PATCH", {"metadata": {"labels": {"tier": tier}}})
    create(cluster, "b", tier="db")
    ceased, begun = stream.poll()
    assert (ceased.type, begun.type) == ("DELETED", "ADDED")
    # Told is what last matched, at the revision at which it ceased to.
    metadata = ceased.object["metadata"]
    assert (metadata["labels"], metadata["resourceVersion"]) == ({"tier": "web"}, str(int(start) + 1))


def test_a_bookmark_comes_about_every_minute_to_whoever_wants_one(cluster: Cluster) -> None:
    start = str(create(cluster, "a"))
    wanted = ask(cluster, watch="1", resourceVersion=start, allowWatchBookmarks="true").stream
    unwanted = ask(cluster, watch="1", resourceVersion=start).stream
    assert wanted is not None and unwanted is not None
    cluster.advance(59)
    assert not wanted.waiting()
    cluster.advance(2)
    assert wanted.waiting() and not unwanted.waiting()
    (bookmark,) = wanted.poll()
    assert bookmark.type == "BOOKMARK"
    assert bookmark.object["metadata"] == {"resourceVersion": str(cluster.store.revision)}
    assert not wanted.waiting()


def test_a_watch_that_is_up_to_date_survives_compaction_and_an_older_one_does_not(cluster: Cluster) -> None:
    start = str(create(cluster, "a"))
    fresh = ask(cluster, watch="1", resourceVersion=start).stream
    stale = ask(cluster, watch="1", resourceVersion=start).stream
    assert fresh is not None and stale is not None
    create(cluster, "b")
    assert told(fresh) == [("ADDED", "b")]
    cluster.advance(650)
    create(cluster, "c")
    assert told(fresh) == [("ADDED", "c")]
    (error,) = stale.poll()
    assert (error.type, error.object["code"], error.object["reason"]) == ("ERROR", 410, "Expired")
    late = ask(cluster, watch="1", resourceVersion=start)
    assert (late.code, late.body["reason"]) == (410, "Expired")
    assert late.body["message"] == f"too old resource version: {start} ({cluster.store.compacted})"


def test_the_history_of_a_long_run_does_not_grow_without_end() -> None:
    cluster = Cluster()
    cluster.advance(700)
    kept, begun = cluster.store.revision - cluster.store.compacted, cluster.store.revision
    cluster.advance(3000)
    assert cluster.store.revision - begun > 3 * kept
    assert cluster.store.revision - cluster.store.compacted <= 2 * kept


def test_metadata_alone_can_be_listed_and_watched(cluster: Cluster) -> None:
    create(cluster, "a")
    accept = {"accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    listed = cluster.handle(Request("GET", CONFIGMAPS, {}, accept, b"", ADMIN)).body
    assert (listed["kind"], listed["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}
    accept = {"accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
    stream = cluster.handle(Request("GET", CONFIGMAPS, {"watch": ["1"]}, accept, b"", ADMIN)).stream
    assert stream is not None
    assert [event.object["kind"] for event in stream.poll()] == ["PartialObjectMetadata"]


# ------------------------------------------------------------ laws

WRITES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["apply", "delete"]), st.sampled_from(["web", "db"])),
    min_size=1,
    max_size=25,
)
SELECTORS = st.sampled_from(["", "tier=web", "tier!=web", "tier in (web,db)", "!tier"])


def write(cluster: Cluster, name: str, verb: str, tier: str) -> None:
    path = f"{CONFIGMAPS}/{name}"
    if verb == "delete":
        ask(cluster, path, "DELETE")
    elif ask(cluster, path).code == 404:
        create(cluster, name, tier=tier)
    else:
        ask(cluster, path, "PATCH", {"metadata": {"labels": {"tier": tier}}})


@pytest.fixture(scope="module")
def empty() -> Cluster:
    """Forked for each example."""
    return Cluster(nodes=[], without=["kube-controller-manager"])


@settings(deadline=None, max_examples=40)
@given(writes=WRITES, begin=st.integers(0, 25), selector=SELECTORS)
def test_a_list_and_the_watch_from_it_give_the_next_list(
    empty: Cluster, writes: list[tuple[str, str, str]], begin: int, selector: str
) -> None:
    cluster = empty.fork()
    for one in writes[:begin]:
        write(cluster, *one)
    listed = ask(cluster, labelSelector=selector).body
    known = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]}
    revision = listed["metadata"]["resourceVersion"]
    stream = ask(cluster, watch="1", resourceVersion=revision, labelSelector=selector).stream
    assert stream is not None
    for one in writes[begin:]:
        write(cluster, *one)
    last = int(revision)
    for event in stream.poll():
        meta = event.object["metadata"]
        assert int(meta["resourceVersion"]) > last
        last = int(meta["resourceVersion"])
        assert (event.type == "ADDED") == (meta["name"] not in known)
        if event.type == "DELETED":
            del known[meta["name"]]
        else:
            known[meta["name"]] = meta["resourceVersion"]
    now = ask(cluster, labelSelector=selector).body
    assert known == {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in now["items"]}
    assert int(now["metadata"]["resourceVersion"]) >= last


@settings(deadline=None, max_examples=40)
@given(writes=WRITES, limit=st.integers(1, 5), selector=SELECTORS)
def test_the_pages_of_a_list_are_the_list(
    empty: Cluster, writes: list[tuple[str, str, str]], limit: int, selector: str
) -> None:
    cluster = empty.fork()
    for one in writes:
        write(cluster, *one)
    whole = ask(cluster, labelSelector=selector).body
    items: list[Any] = []
    token = ""
    while True:
        page = ask(cluster, labelSelector=selector, limit=str(limit), **{"continue": token})
        assert page.code == 200 and len(page.body["items"]) <= limit
        items += page.body["items"]
        token = page.body["metadata"].get("continue", "")
        if not token:
            break
    assert items == whole["items"]


@settings(deadline=None, max_examples=40)
@given(writes=WRITES)
def test_revisions_only_rise(empty: Cluster, writes: list[tuple[str, str, str]]) -> None:
    cluster = empty.fork()
    revisions = [cluster.store.revision]
    for one in writes:
        write(cluster, *one)
        revisions.append(int(ask(cluster).body["metadata"]["resourceVersion"]))
    assert revisions == sorted(revisions)


@settings(deadline=None, max_examples=60)
@given(patch=st.dictionaries(st.sampled_from("abcd"), st.none() | st.text("xyz", max_size=3), max_size=4))
def test_applying_a_merge_patch_twice_equals_once(empty: Cluster, patch: dict[str, str | None]) -> None:
    cluster = empty.fork()
    create(cluster, "a")
    ask(cluster, f"{CONFIGMAPS}/a", "PATCH", {"data": {"a": "1", "d": "2"}})
    once = ask(cluster, f"{CONFIGMAPS}/a", "PATCH", {"data": patch})
    twice = ask(cluster, f"{CONFIGMAPS}/a", "PATCH", {"data": patch})
    assert once.code == twice.code == 200
    assert twice.body == once.body
