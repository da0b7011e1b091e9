"""Fields of live objects are compared by meaning, and a comparison that fails says what, where and what instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from autograder.checks import Case, Failed, Field, Review, Sources
from autograder.clusters import Cluster, apply
from autograder.manifests import parse

MANIFEST = """\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web
  labels: {app: web, tier: front}
spec:
  replicas: 2
  selector:
    matchExpressions:
      - {key: app, operator: In, values: [web]}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: helper
          image: busybox
          args: [b, a]
        - name: main
          image: nginx
          resources: {requests: {cpu: "0.5", memory: 1024Mi}}
"""

MAIN = "spec.template.spec.containers[main]"


@pytest.fixture
def review(cluster: Cluster) -> Review:
    documents = parse(MANIFEST, source="web.yaml").documents
    apply(cluster, documents[0].value)
    return Review(Case(cluster, Sources(documents, "default")))


@pytest.fixture
def field(review: Review) -> Callable[[str], Field]:
    return review.object("ReplicaSet", "web").field


def test_what_means_the_same_is_equal(field: Callable[[str], Field]) -> None:
    field("spec.replicas").equals(2)
    field("spec.replicas").at_least(2)
    field("spec.replicas").at_most(2)
    field("spec.replicas").is_one_of([2, 3])
    field(f"{MAIN}.resources.requests[cpu]").is_quantity("500m")
    field(f"{MAIN}.resources.requests[memory]").is_quantity("1Gi")
    field(f"{MAIN}.image").is_image("docker.io/library/nginx:latest")
    field(f"{MAIN}.imagePullPolicy").equals("Always")
    field(f"{MAIN}.resources.limits").is_missing()
    field("metadata.labels").includes({"app": "web"})
    field("spec.selector").selects({"app": "web"})
    field("spec.template.spec.containers[helper].args").is_set(["a", "b"])
    field("spec.replicas").satisfies(lambda value: value % 2 == 0, "an even number")


@pytest.mark.parametrize(
    ("claim", "wanted", "found"),
    [
        (lambda field: field("spec.replicas").equals(3), "3", "2"),
        (lambda field: field("spec.replicas").equals("2"), "2", "2"),
        (lambda field: field("spec.replicas").equals(True), "true", "2"),
        (lambda field: field("spec.replicas").at_least(3), "at least 3", "2"),
        (lambda field: field("spec.replicas").at_most(1), "at most 1", "2"),
        (lambda field: field(f"{MAIN}.resources.requests[cpu]").is_quantity("5"), "5", "500m"),
        (lambda field: field(f"{MAIN}.resources.requests[gpu]").is_quantity("5"), "5", "nothing"),
        (lambda field: field(f"{MAIN}.image").is_image("nginx:1.27"), "nginx:1.27", "nginx"),
        (lambda field: field(f"{MAIN}.image").is_image("quay.io/library/nginx"), "quay.io/library/nginx", "nginx"),
        (lambda field: field("metadata.labels").includes({"app": "db"}), "app: db", "app: web, tier: front"),
        (lambda field: field("spec.template.spec.containers[helper].args").is_set(["a"]), "a", "b, a"),
        (lambda field: field("spec.replicas").is_missing(), "nothing", "2"),
        (lambda field: field("spec.paused").is_present(), "a value", "nothing"),
    ],
)
def test_what_does_not_is_said_with_wanted_and_found(
    field: Callable[[str], Field], claim: Callable[[Callable[[str], Field]], None], wanted: str, found: str
) -> None:
    with pytest.raises(Failed) as failed:
        claim(field)
    assert (failed.value.wanted, failed.value.found) == (wanted, found)
    assert failed.value.message
    assert failed.value.where is not None


@pytest.mark.parametrize(("labels"), [{"app": "db"}, {"app": "web", "tier": "front"}, {"tier": "front"}])
def test_a_selector_is_compared_by_what_it_selects(field: Callable[[str], Field], labels: dict[str, str]) -> None:
    with pytest.raises(Failed):
        field("spec.selector").selects(labels)


def test_a_failure_points_at_the_students_line(field: Callable[[str], Field]) -> None:
    with pytest.raises(Failed) as failed:
        field(f"{MAIN}.image").is_image("nginx:1.27")
    where = failed.value.where
    assert where is not None
    assert (str(where), where.field) == ("web.yaml:20:18", "spec.template.spec.containers[1].image")


def test_a_field_that_is_not_written_points_at_what_is_around_it(field: Callable[[str], Field]) -> None:
    with pytest.raises(Failed) as failed:
        field(f"{MAIN}.resources.limits[cpu]").is_quantity("1")
    assert str(failed.value.where) == "web.yaml:21:11"


def test_a_missing_object_names_those_there_are(review: Review, cluster: Cluster) -> None:
    with pytest.raises(Failed, match=r"there is no ReplicaSet wep in the namespace default; there is web") as failed:
        review.object("ReplicaSet", "wep")
    assert (failed.value.wanted, failed.value.found) == ("wep", "web")
    assert str(failed.value.where) == "web.yaml:4:9"


def test_a_missing_container_names_those_there_are(review: Review) -> None:
    with pytest.raises(Failed, match=r"helper, main \(did you mean main\?\)"):
        review.object("ReplicaSet", "web").container("mian")


def test_the_only_container_needs_no_name(review: Review) -> None:
    with pytest.raises(Failed, match="has 2 containers, and the task asks for one"):
        review.object("ReplicaSet", "web").container()


def test_what_the_checks_expect_is_noted_for_the_audit(review: Review, field: Callable[[str], Field]) -> None:
    review.object("ReplicaSet", "web").container("main").field("image").is_image("nginx")
    review.object("ReplicaSet", "web").field("spec.replicas").equals(2)
    assert {"web", "main"} <= set(review.notes.names)
    assert {"nginx", "2"} == set(review.notes.values)
    assert [str(compared) for compared in review.notes.looked_at][-1] == "spec.replicas of ReplicaSet web"


def test_a_limit_stands_in_for_a_request_that_is_not_stated(review: Review) -> None:
    main = review.object("ReplicaSet", "web").container("main")
    main.requested("cpu").is_quantity("500m")
    review.cluster.patch(
        "ReplicaSet", "web",
        {"spec": {"template": {"spec": {"containers": [{"name": "helper", "resources": {"limits": {"cpu": "2"}}}]}}}},
    )  # fmt: skip
    review.object("ReplicaSet", "web").container("helper").requested("cpu").is_quantity("2")
    with pytest.raises(Failed, match=r"resources.requests\[memory\] of ReplicaSet web is not set"):
        review.object("ReplicaSet", "web").container("helper").requested("memory").is_quantity("1Gi")


def test_another_kind_of_that_name_is_pointed_out(review: Review) -> None:
    with pytest.raises(Failed, match="your answer has a ReplicaSet of that name"):
        review.object("Deployment", "web")


def test_the_same_object_in_another_namespace_is_pointed_out(review: Review) -> None:
    with pytest.raises(Failed, match="your answer has it in the namespace default"):
        review.object("ReplicaSet", "web", "dev")


def test_what_was_there_before_and_is_gone_is_told_apart(review: Review) -> None:
    before = {("Pod", "default", "old"): {"kind": "Pod"}}
    with pytest.raises(Failed, match="there is no Pod old in the namespace default any more"):
        Review(replace(review.case, before=before)).object("Pod", "old")


def test_what_belongs_to_the_whole_cluster_is_missed_in_no_namespace(review: Review) -> None:
    with pytest.raises(Failed, match=r"^there is no Namespace blue; there is default"):
        review.object("Namespace", "blue")
