"""Checks of somebody's rights: the API server itself is asked what he may do."""

from __future__ import annotations

from autograder.checks import Review, criterion, guard

WANTED = {
    "sees": (("get", "", "pods", ""), ("list", "", "pods", "")),
    "scales": (("get", "apps", "deployments", ""), ("patch", "apps", "deployments", "scale")),
}
TOO_MUCH = (
    ("dev", "delete", "", "pods"), ("dev", "create", "", "pods"), ("dev", "delete", "apps", "deployments"),
    ("dev", "get", "", "secrets"), ("dev", "list", "", "secrets"), ("default", "list", "", "pods"),
    ("kube-system", "list", "", "pods"), ("default", "patch", "apps", "deployments"),
)  # fmt: skip


def may(review: Review, namespace: str, verb: str, group: str, resource: str, subresource: str = "") -> bool:
    """Whether the user may do it, as the API server says."""
    attributes = {
        "namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": subresource,
    }  # fmt: skip
    question = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {},
        "spec": {"user": review.values["user"], "resourceAttributes": attributes},
    }  # fmt: skip
    answer = review.cluster.create(question)
    return bool(answer["status"]["allowed"])


def granted(review: Review, criterion_name: str) -> None:
    """Fail unless all of the rights of a criterion are there."""
    for verb, group, resource, subresource in WANTED[criterion_name]:
        what = f"{verb} {resource}{'/' + subresource if subresource else ''}"
        review.require(
            may(review, "dev", verb, group, resource, subresource), f"{review.values['user']} may not {what} in dev",
            wanted="allowed", found="forbidden",
        )  # fmt: skip


@criterion("sees", points=3)
def sees(review: Review) -> None:
    """Whoever is to help must be able to look."""
    granted(review, "sees")


@criterion("scales", points=4)
def scales(review: Review) -> None:
    """Parts of an object, such as its scale, can be allowed without the rest of it."""
    granted(review, "scales")


@guard("no more than that", costs=4)
def no_more(review: Review) -> None:
    """A right that nobody needs is only of use to those who should not have it."""
    for namespace, verb, group, resource in TOO_MUCH:
        review.require(
            not may(review, namespace, verb, group, resource),
            f"{review.values['user']} may {verb} {resource} in the namespace {namespace}",
            wanted="forbidden", found="allowed",
        )  # fmt: skip
