"""Which roles, bindings and Events are accepted, and what may change about them."""

from __future__ import annotations

import pytest

from autograder.controlplane.kube_apiserver.validation import events

GROUP = "rbac.authorization.k8s.io"


def role(rule, kind="Role"):
    """A Role or ClusterRole with one rule."""
    metadata = {"name": "r"} if kind == "ClusterRole" else {"name": "r", "namespace": "dev"}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": [rule]}


def binding(role_name="r", kind="RoleBinding", role_kind="Role", subjects=()):
    """A RoleBinding or ClusterRoleBinding."""
    metadata = {"name": "b"} if kind == "ClusterRoleBinding" else {"name": "b", "namespace": "dev"}
    reference = {"kind": role_kind, "name": role_name}
    named = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
    return {**named, "roleRef": reference, "subjects": list(subjects)}


READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


@pytest.mark.parametrize(
    ("rule", "kind", "expected"),
    [
        (READ, "Role", []),
        ({}, "Role", [
            "rules[0].verbs: Required value: verbs must contain at least one value",
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
            "rules[0].resources: Required value: resource rules must supply at least one resource",
        ]),
        ({"nonResourceURLs": ["/healthz"], "verbs": ["get"]}, "ClusterRole", []),
        ({"nonResourceURLs": ["/healthz"], "verbs": ["get"]}, "Role", [
            'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: '
            "namespaced rules cannot apply to non-resource URLs",
        ]),
        ({**READ, "nonResourceURLs": ["/healthz"]}, "ClusterRole", [
            'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: '
            "rules cannot apply to both regular resources and non-resource URLs",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_role(refusals, rule, kind, expected):
    assert refusals(role(rule, kind)) == expected


def test_groups_of_users_are_filled_in(completed):
    subjects = [{"kind": "User", "name": "jo"}, {"kind": "ServiceAccount", "name": "robot"}]
    made = completed(binding(subjects=subjects))
    assert made["roleRef"]["apiGroup"] == GROUP
    assert [subject.get("apiGroup") for subject in made["subjects"]] == [GROUP, None]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (binding(subjects=[{"kind": "User", "name": "jo"}]), []),
        (binding(subjects=[{"kind": "Robot", "name": "r2"}]), [
            'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
        ]),
        (binding(kind="ClusterRoleBinding"), [
            'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        ]),
        (
            binding(
                kind="ClusterRoleBinding", role_kind="ClusterRole", subjects=[{"kind": "ServiceAccount", "name": "a"}]
            ),
            ["subjects[0].namespace: Required value"],
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_a_binding(refusals, manifest, expected):
    assert refusals(manifest) == expected


def test_a_binding_keeps_its_role(refusals_of_change):
    assert refusals_of_change(binding("r"), binding("other")) == [
        'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: '
        "cannot change roleRef"
    ]


def event(**fields):
    """An Event about a pod."""
    named = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "dev"}}
    return {**named, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "dev"}, **fields}


def test_an_event_stands_in_the_namespace_that_it_is_about(refusals):
    assert refusals(event()) == []
    assert refusals(event(involvedObject={"kind": "Pod", "namespace": "other"})) == [
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace'
    ]


def test_events_of_the_newer_api_are_complete(completed):
    modern = completed(event(
        eventTime="2024-01-01T00:00:00.000000Z", reportingComponent="example.com/x", reportingInstance="x-1",
        action="Binding", reason="Bound", type="Normal",
    ))  # fmt: skip
    assert events.validate_event_strictly(modern) == []
    assert [error.field for error in events.validate_event_strictly({**modern, "action": "", "count": 3})] == [
        "action", "count",
    ]  # fmt: skip
