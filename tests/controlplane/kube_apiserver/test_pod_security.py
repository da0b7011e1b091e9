"""Namespaces hold their pods to the Pod Security Standards that their labels name."""

from __future__ import annotations

from typing import Any

import pytest
from asking import Object, World

PREFIX = "pod-security.kubernetes.io/"
PODS = "/api/v1/namespaces/secure/pods"
MERGE = "application/merge-patch+json"
#: What every container must say to be allowed where most is asked.
CAREFUL: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture
def world() -> World:
    return World()


def labels(**asked: str) -> dict[str, str]:
    """``enforce="baseline:v1.30"`` as the labels of a namespace."""
    found = {}
    for mode, standard in asked.items():
        level, _, version = standard.partition(":")
        found[PREFIX + mode] = level
        if version:
            found[f"{PREFIX}{mode}-version"] = version
    return found


def secure(world: World, **asked: str) -> None:
    world.create("/api/v1/namespaces", {"metadata": {"name": "secure", "labels": labels(**asked)}})
    world.create("/api/v1/namespaces/secure/serviceaccounts", {"metadata": {"name": "default"}})


def pod(context: Object | None = None, container: Object | None = None, name: str = "web", **spec: Any) -> Object:
    """A pod of one container ``c`` with a security context; in ``spec`` more of the pod."""
    one = {"name": "c", "image": "i", **({"securityContext": context} if context else {}), **(container or {})}
    metadata = {"name": name, "annotations": spec.pop("annotations", {})}
    return {"metadata": metadata, "spec": {"containers": [one], **spec}}


BASELINE = [
    (pod(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
    (pod({"privileged": True}), 'privileged (container "c" must not set securityContext.privileged=true)'),
    (
        pod({"capabilities": {"add": ["SYS_TIME", "KILL", "NET_ADMIN"]}}),
        'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_TIME" '
        "in securityContext.capabilities.add)",
    ),
    (
        pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}, {"name": "w", "hostPath": {"path": "/x"}}]),
        'hostPath volumes (volumes "v", "w")',
    ),
    (
        pod(container={"ports": [{"containerPort": 80, "hostPort": 90}, {"containerPort": 81, "hostPort": 8000}]}),
        'hostPort (container "c" uses hostPorts 8000, 90)',
    ),
    (
        pod(container={"livenessProbe": {"tcpSocket": {"port": 80, "host": "example.com"}}}),
        'probe or lifecycle host (container "c" uses probe or lifecycle host "example.com")',
    ),
    (
        pod(
            {"seLinuxOptions": {"type": "spc_t"}},
            securityContext={"seLinuxOptions": {"user": "u", "role": "r", "type": "container_t"}},
        ),
        'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; '
        "user may not be set; role may not be set)",
    ),
    (
        pod({"seccompProfile": {"type": "Unconfined"}}, securityContext={"seccompProfile": {"type": "Unconfined"}}),
        'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ),
    (
        pod({"appArmorProfile": {"type": "Unconfined"}}),
        'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
    ),
    (
        pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        "forbidden sysctls (kernel.msgmax)",
    ),
    (
        pod(
            hostNetwork=True,
            securityContext={"windowsOptions": {"hostProcess": True}, "runAsNonRoot": True},
        ),
        "host namespaces (hostNetwork=true), hostProcess (pod must not set "
        "securityContext.windowsOptions.hostProcess=true)",
    ),
]  # fmt: skip

RESTRICTED = [
    (
        pod(),
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type '
        'to "RuntimeDefault" or "Localhost")',
    ),
    (
        pod({**CAREFUL, "capabilities": {"drop": ["KILL"], "add": ["CHOWN", "NET_BIND_SERVICE"]}}),
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; '
        'container "c" must not include "CHOWN" in securityContext.capabilities.add)',
    ),
    (
        pod(CAREFUL, volumes=[{"name": "v", "nfs": {"server": "s", "path": "/"}}, {"name": "w", "emptyDir": {}}]),
        'restricted volume types (volume "v" uses restricted volume type "nfs")',
    ),
    (pod({**CAREFUL, "runAsUser": 0}), 'runAsUser=0 (container "c" must not set runAsUser=0)'),
    (
        pod({**CAREFUL, "runAsNonRoot": False}, securityContext={"runAsNonRoot": True}),
        'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
    ),
]


@pytest.mark.parametrize(
    ("level", "body", "said"),
    [("baseline", *row) for row in BASELINE] + [("restricted", *row) for row in RESTRICTED],
)
def test_a_pod_that_does_not_meet_the_standard_is_refused(world: World, level: str, body: Object, said: str) -> None:
    secure(world, enforce=level)
    assert (
        world.refusal("POST", PODS, body=body)
        == f'pods "web" is forbidden: violates PodSecurity "{level}:latest": {said}'
    )


@pytest.mark.parametrize(
    ("level", "body"),
    [
        ("privileged", pod({"privileged": True}, hostNetwork=True)),
        ("baseline", pod({"capabilities": {"add": ["KILL"]}}, volumes=[{"name": "v", "emptyDir": {}}])),
        ("restricted", pod(CAREFUL)),
        ("restricted", pod({**CAREFUL, "runAsNonRoot": None}, securityContext={"runAsNonRoot": True})),
        ("restricted", pod({**CAREFUL, "runAsUser": 0, "runAsNonRoot": False}, hostUsers=False)),
    ],
)
def test_a_pod_that_meets_the_standard_is_created(world: World, level: str, body: Object) -> None:
    secure(world, enforce=level)
    answer = world.ask("POST", PODS, body=body)
    assert (answer.code, [text for text in answer.warnings if "PodSecurity" in text]) == (201, [])


@pytest.mark.parametrize(
    ("standard", "body", "code"),
    [
        ("baseline:v1.33", pod(container={"livenessProbe": {"tcpSocket": {"port": 80, "host": "x"}}}), 201),
        ("baseline:v1.34", pod(container={"livenessProbe": {"tcpSocket": {"port": 80, "host": "x"}}}), 403),
        ("baseline:v1.99", pod(container={"livenessProbe": {"tcpSocket": {"port": 80, "host": "x"}}}), 403),
        ("baseline:v1.30", pod({"seLinuxOptions": {"type": "container_engine_t"}}), 403),
        ("baseline:v1.31", pod({"seLinuxOptions": {"type": "container_engine_t"}}), 201),
        ("restricted:v1.7", pod({"runAsNonRoot": True}), 201),
        ("restricted:v1.22", pod({**CAREFUL, "runAsUser": 0}), 201),
        ("restricted:v1.23", pod({**CAREFUL, "runAsUser": 0}), 403),
    ],
)
def test_a_standard_is_held_as_it_was_in_its_version(world: World, standard: str, body: Object, code: int) -> None:
    secure(world, enforce=standard)
    assert world.ask("POST", PODS, body=body).code == code


def test_clients_are_warned_of_what_would_be_refused(world: World) -> None:
    secure(world, warn="baseline:v1.30", audit="restricted")
    said = 'would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)'
    assert world.ask("POST", PODS, body=pod(hostPID=True)).warnings == [said]


WORKLOADS = [
    ("apps/v1", "deployments", lambda template: {"template": template}),
    ("apps/v1", "replicasets", lambda template: {"template": template}),
    ("apps/v1", "daemonsets", lambda template: {"template": template}),
    ("apps/v1", "statefulsets", lambda template: {"template": template}),
    ("batch/v1", "cronjobs", lambda t: {"schedule": "@daily", "jobTemplate": {"spec": {"template": t}}}),
    ("batch/v1", "jobs", lambda template: {"template": template}),
]


@pytest.mark.parametrize(("group", "plural", "spec_of"), WORKLOADS)
def test_a_workload_is_accepted_with_a_warning(world: World, group: str, plural: str, spec_of: Any) -> None:
    secure(world, enforce="baseline")
    template = {**pod(hostPID=True), "metadata": {"labels": {"app": "web"}}}
    if group == "batch/v1":
        template["spec"]["restartPolicy"] = "Never"
    spec = spec_of(template)
    if group == "apps/v1":
        spec["selector"] = {"matchLabels": {"app": "web"}}
    answer = world.ask(
        "POST", f"/apis/{group}/namespaces/secure/{plural}", body={"metadata": {"name": "w"}, "spec": spec}
    )
    assert answer.code == 201, answer.body
    assert answer.warnings == ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']


def test_an_update_of_a_pod_is_judged_when_it_brings_another_image(world: World) -> None:
    secure(world)
    world.create(PODS, pod(hostPID=True))
    change: Object = {"metadata": {"labels": labels(enforce="baseline")}}
    world.ask("PATCH", "/api/v1/namespaces/secure", body=change, content_type=MERGE)
    label: Object = {"metadata": {"labels": {"a": "b"}}}
    assert world.ask("PATCH", f"{PODS}/web", body=label, content_type=MERGE).code == 200
    patch: Object = [{"op": "replace", "path": "/spec/containers/0/image", "value": "j"}]  # type: ignore[assignment]
    answer = world.ask("PATCH", f"{PODS}/web", body=patch, content_type="application/json-patch+json")
    assert (answer.code, "violates PodSecurity" in answer.body["message"]) == (403, True)


def test_labels_that_no_standard_has_are_refused(world: World) -> None:
    wrong = labels(enforce="strict:v2", warn="baseline:v1.030")
    answer = world.ask("POST", "/api/v1/namespaces", body={"metadata": {"name": "secure", "labels": wrong}})
    level, version = "must be one of privileged, baseline, restricted", 'must be "latest" or "v1.x"'
    assert answer.code == 422
    assert answer.body["message"] == (
        f'Namespace "secure" is invalid: [metadata.labels[{PREFIX}enforce]: Invalid value: "strict": {level}, '
        f'metadata.labels[{PREFIX}enforce-version]: Invalid value: "v2": {version}, '
        f'metadata.labels[{PREFIX}warn-version]: Invalid value: "v1.030": {version}]'
    )


def test_who_makes_a_namespace_stricter_is_told_of_its_pods(world: World) -> None:
    secure(world)
    for name, spec in (("a", {"hostPID": True}), ("b", {"hostPID": True}), ("c", {"hostIPC": True, "hostUsers": True})):
        world.create(PODS, pod(name=name, **spec))
    world.create(PODS, pod({"privileged": True}, name="d"))
    change: Object = {"metadata": {"labels": labels(enforce="baseline")}}
    answer = world.ask("PATCH", "/api/v1/namespaces/secure", body=change, content_type=MERGE)
    assert (answer.code, answer.warnings) == (
        200,
        [
            'existing pods in namespace "secure" violate the new PodSecurity enforce level "baseline:latest"',
            "a (and 2 other pods): host namespaces",
            "d: privileged",
        ],
    )
    relaxed: Object = {"metadata": {"labels": labels(enforce="privileged")}}
    assert world.ask("PATCH", "/api/v1/namespaces/secure", body=relaxed, content_type=MERGE).warnings == []
