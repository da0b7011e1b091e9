"""The hash of a pod template is the one of Kubernetes.

The known hashes are those that ``kubectl create deployment nginx --image=nginx`` has shown in clusters of those
versions; a template hashes differently in each version that gave it new fields.
"""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery import types
from autograder.controlplane.kube_controller_manager import hashing

NGINX = {
    "metadata": {"labels": {"app": "nginx"}},
    "spec": {
        "containers": [
            {
                "name": "nginx",
                "image": "nginx",
                "imagePullPolicy": "Always",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    },
}

#: Fields by the version that brought them, newest first, and the hash before.
HISTORY = [
    (("PodSpec.schedulingGroup",), "66686b6766"),
    (("PodSpec.hostnameOverride", "Container.restartPolicyRules"), "5869d7778c"),
    (("PodSpec.resources", "PodSecurityContext.seLinuxChangePolicy"), "676b6c5bbc"),
    (("PodSecurityContext.supplementalGroupsPolicy",), "bf5d5cf98"),
    (("PodSecurityContext.appArmorProfile",), "7854ff8877"),
    (("Container.restartPolicy",), "77b4fdf86c"),
    (("Container.resizePolicy",), "748c667d99"),
]


@pytest.mark.parametrize("age", range(1, len(HISTORY) + 1))
def test_agrees_with_hashes_seen_in_clusters(monkeypatch: pytest.MonkeyPatch, age: int) -> None:
    unknown = {field for fields, _ in HISTORY[:age] for field in fields}
    real = types.struct

    def struct(name: str) -> tuple[types.Field, ...] | None:
        fields = real(name)
        short = name.rpartition(".")[2]
        return fields and tuple(one for one in fields if f"{short}.{one.json_name}" not in unknown)

    monkeypatch.setattr(types, "struct", struct)
    assert hashing.template_hash(NGINX) == HISTORY[age - 1][1]


def test_a_collision_changes_the_hash() -> None:
    hashes = {hashing.template_hash(NGINX, collisions) for collisions in (None, 0, 1, 2)}
    assert len(hashes) == 4


def test_any_difference_changes_the_hash() -> None:
    container = {**NGINX["spec"]["containers"][0], "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}}}
    other = {**NGINX, "spec": {**NGINX["spec"], "containers": [container]}}
    assert hashing.template_hash(other) != hashing.template_hash(NGINX)


@pytest.mark.parametrize("text", ["1", "100m", "64Mi", "100e-3", "2e3", "0", "1E", "12e6"])
def test_every_spelling_of_a_quantity_has_a_hash(text: str) -> None:
    container = {**NGINX["spec"]["containers"][0], "resources": {"limits": {"memory": text}}}
    template = {**NGINX, "spec": {**NGINX["spec"], "containers": [container]}}
    assert hashing.template_hash(template) != hashing.template_hash(NGINX)


@pytest.mark.parametrize(
    ("data", "fnv1a", "fnv1"),
    [(b"", 0x811C9DC5, 0x811C9DC5), (b"a", 0xE40C292C, 0x050C5D7E), (b"foobar", 0xBF9CF968, 0x31F0B262)],
)
def test_hashes_bytes_as_fnv_does(data: bytes, fnv1a: int, fnv1: int) -> None:
    assert hashing.fnv32a(data) == fnv1a
    assert hashing.fnv32(data) == fnv1
