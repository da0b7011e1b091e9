"""The tables of Go types: which type a kind has, what its fields are, and how messages print it."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.types.unversioned import unversioned


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("v1", "Pod", "core/v1.Pod"),
        ("apps/v1", "Deployment", "apps/v1.Deployment"),
        ("rbac.authorization.k8s.io/v1", "Role", "rbac/v1.Role"),
        ("v1", "Deployment", None),
        ("apps/v2", "Deployment", None),
        ("../../v1", "Pod", None),
        ("apps.example.com/v1", "Deployment", None),
    ],
)
def test_the_type_of_a_kind(api_version: str, kind: str, name: str | None) -> None:
    assert types.type_name(api_version, kind) == name


def test_the_fields_of_a_struct() -> None:
    fields = types.struct("core/v1.EnvVar")
    assert fields is not None
    assert [(one.json_name, one.go_type, one.option) for one in fields] == [
        ("name", "string", ""),
        ("value", "string", "omitempty"),
        ("valueFrom", "*core/v1.EnvVarSource", "omitempty"),
    ]


def test_what_a_named_type_stands_for() -> None:
    assert types.underlying("core/v1.ResourceList") == "map[core/v1.ResourceName]resource.Quantity"
    assert types.underlying("core/v1.Pod") == "core/v1.Pod"
    assert types.underlying("string") == "string"


def test_messages_print_every_field_by_its_go_name() -> None:
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 10}
    assert unversioned(probe, "core.Probe") == {
        "Exec": {"Command": ["true"]},
        "HTTPGet": None,
        "TCPSocket": None,
        "GRPC": None,
        "InitialDelaySeconds": 0,
        "TimeoutSeconds": 0,
        "PeriodSeconds": 10,
        "SuccessThreshold": 0,
        "FailureThreshold": 0,
        "TerminationGracePeriodSeconds": None,
    }


def test_host_namespaces_are_printed_in_the_security_context() -> None:
    printed = unversioned({"hostNetwork": True, "securityContext": {"fsGroup": 5}}, "core.PodSpec")
    assert printed["SecurityContext"]["HostNetwork"] is True
    assert printed["SecurityContext"]["FSGroup"] == 5
