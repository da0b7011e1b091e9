"""Pods: what is filled in, what is refused, what may change; in Kubernetes' words."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

Object = dict[str, Any]
Refusals = Callable[[Object], list[str]]
RefusalsOfChange = Callable[[Object, Object], list[str]]
Completed = Callable[[Object], Object]


def pod(container: Object | None = None, metadata: Object | None = None, **spec: Any) -> Object:
    """A pod of one container, with these fields more."""
    named = {"name": "c", "image": "nginx:1.27", **(container or {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "here", **(metadata or {})},
        "spec": {"containers": [named], **spec},
    }


def changed(obj: Object, **spec: Any) -> Object:
    """The object with other fields in its spec; None takes a field away."""
    new = copy.deepcopy(obj)
    new["spec"] = {name: value for name, value in {**new["spec"], **spec}.items() if value is not None}
    return new


# ---------------------------------------------------------------- defaults


def test_the_defaults_of_a_pod(completed: Completed) -> None:
    spec = completed(pod())["spec"]
    assert {name: spec[name] for name in spec if name != "containers"} == {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
    }
    assert spec["containers"] == [
        {
            "name": "c",
            "image": "nginx:1.27",
            "resources": {},
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
    ]


@pytest.mark.parametrize(
    ("image", "policy"),
    [("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"), ("NGINX", "IfNotPresent")],
)
def test_a_tag_that_moves_is_pulled_always(completed: Completed, image: str, policy: str) -> None:
    assert completed(pod({"image": image}))["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_requests_follow_limits(completed: Completed) -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.0001"}}
    requests = completed(pod({"resources": resources}))["spec"]["containers"][0]["resources"]["requests"]
    assert requests == {"cpu": "1m", "memory": "1Gi"}


def test_requests_of_the_whole_pod_follow_those_of_its_containers(completed: Completed) -> None:
    sidecar = {"name": "s", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}
    first = {"name": "f", "image": "i", "resources": {"requests": {"cpu": "2", "memory": "10Mi"}}}
    container = {"resources": {"requests": {"cpu": "1"}}}
    whole = pod(container, initContainers=[sidecar, first], resources={"limits": {"cpu": "4", "memory": "1Gi"}})
    assert completed(whole)["spec"]["resources"]["requests"] == {"cpu": "2100m", "memory": "10Mi"}


def test_host_ports_follow_container_ports_on_the_hosts_network(completed: Completed) -> None:
    port = completed(pod({"ports": [{"containerPort": 80}]}, hostNetwork=True))["spec"]["containers"][0]["ports"][0]
    assert port == {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}


def test_the_defaults_of_probes_and_volumes(completed: Completed) -> None:
    probe = {"httpGet": {"port": 80}}
    volumes = [
        {"name": "a"},
        {"name": "b", "configMap": {"name": "m"}},
        {"name": "c", "hostPath": {"path": "/x"}},
        {"name": "d", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    ]
    spec = completed(pod({"livenessProbe": probe}, volumes=volumes))["spec"]
    assert spec["containers"][0]["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
    }  # fmt: skip
    assert spec["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "m", "defaultMode": 0o644}},
        {"name": "c", "hostPath": {"path": "/x", "type": ""}},
        {
            "name": "d",
            "projected": {
                "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                "defaultMode": 0o644,
            },
        },
    ]


def test_the_old_name_of_the_service_account_still_works(completed: Completed) -> None:
    spec = completed(pod(serviceAccount="robot"))["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("robot", "robot")


# ---------------------------------------------------------------- new pods


def test_a_good_pod_is_let_in(refusals: Refusals) -> None:
    assert refusals(pod()) == []


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({"containers": []}, ["spec.containers: Required value"]),
        (
            {"restartPolicy": "Sometimes"},
            ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
        ),
        (
            {"dnsPolicy": "None"},
            ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
        ),
        (
            {"dnsConfig": {"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3", "x"]}},
            [
                'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","2.2.2.2","3.3.3.3","x"]: '
                "must not have more than 3 nameservers",
                'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, '
                "(e.g. 10.9.8.7 or 2001:db8::ffff)",
            ],
        ),
        (
            {"activeDeadlineSeconds": 0},
            ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
        ),
        (
            {"nodeName": "n", "schedulingGates": [{"name": "g"}]},
            ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
        ),
        (
            {"schedulingGates": [{"name": "g"}, {"name": "g"}]},
            ['spec.schedulingGates[1]: Duplicate value: "g"'],
        ),
        (
            {"os": {"name": "windows"}, "securityContext": {"fsGroup": 1}},
            ["spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod"],
        ),
        (
            {"os": {"name": "solaris"}},
            ['spec.os: Unsupported value: "solaris": supported values: "linux", "windows"'],
        ),
        (
            {"hostUsers": False, "hostPID": True},
            ["spec.HostPID: Forbidden: when `hostUsers` is false"],
        ),
        (
            {"preemptionPolicy": ""},
            ["spec.preemptionPolicy: Required value"],
        ),
        (
            {"hostAliases": [{"ip": "1.2.3.4.5", "hostnames": ["ok"]}]},
            [
                'spec.hostAliases[0].ip: Invalid value: "1.2.3.4.5": must be a valid IP address, '
                "(e.g. 10.9.8.7 or 2001:db8::ffff)"
            ],
        ),
        (
            {"ephemeralContainers": [{"name": "e", "image": "i"}]},
            ["spec.ephemeralContainers: Forbidden: cannot be set on create"],
        ),
    ],
)
def test_a_bad_spec(refusals: Refusals, spec: Object, errors: list[str]) -> None:
    assert refusals(pod(**spec)) == errors


@pytest.mark.parametrize(
    ("container", "errors"),
    [
        ({"image": " nginx"}, ['.image: Invalid value: " nginx": must not have leading or trailing whitespace']),
        ({"imagePullPolicy": "Maybe"}, [
            '.imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"'
        ]),
        ({"ports": [{"containerPort": 0, "name": "a--b"}]}, [
            '.ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens',
            ".ports[0].containerPort: Required value",
        ]),
        ({"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}, [
            '.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'
        ]),
        ({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]}, [
            '.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": '
            "error converting fieldPath: field label not supported: spec.x"
        ]),
        ({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]}, [
            '.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": '
            "only divisor's values 1m and 1 are supported with the cpu resource"
        ]),
        ({"envFrom": [{}]}, ['.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
        ({"volumeMounts": [{"name": "v", "mountPath": "/x"}]}, ['.volumeMounts[0].name: Not found: "v"']),
        ({"livenessProbe": {"successThreshold": 2, "exec": {"command": ["x"]}}}, [
            ".livenessProbe.successThreshold: Invalid value: 2: must be 1"
        ]),
        ({"livenessProbe": {}}, [".livenessProbe: Required value: must specify a handler type"]),
        ({"livenessProbe": {"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}}, [
            ".livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"
        ]),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}, [
            ".lifecycle.preStop.sleep: Invalid value: 31: "
            "must be non-negative and less than terminationGracePeriodSeconds (30)"
        ]),
        ({"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}, [
            '.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'
        ]),
        ({"resources": {"requests": {"example.com/gpu": "1"}}}, [
            ".resources.limits: Required value: Limit must be set for non overcommitable resources"
        ]),
        ({"resources": {"limits": {"hugepages-2Mi": "3Mi"}}}, [
            '.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": '
            "3Mi is not positive integer multiple of hugepages-2Mi",
            '.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": '
            "3Mi is not positive integer multiple of hugepages-2Mi",
            ".resources: Forbidden: HugePages require cpu or memory",
        ]),
        ({"securityContext": {"runAsUser": -1}}, [
            ".securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"
        ]),
        ({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, [
            ".securityContext.seccompProfile.localhostProfile: Required value: "
            "must be set when seccomp type is Localhost"
        ]),
        ({"restartPolicyRules": [{"action": "Restart"}]}, [
            ".restartPolicy: Required value: must specify restartPolicy when restart rules are used",
            ".restartPolicyRules[0].exitCodes: Required value: must be specified",
        ]),
    ],
)  # fmt: skip
def test_a_bad_container(refusals: Refusals, container: Object, errors: list[str]) -> None:
    assert refusals(pod(container)) == [f"spec.containers[0]{error}" for error in errors]


@pytest.mark.parametrize(
    ("volume", "errors"),
    [
        ({"emptyDir": {}, "hostPath": {"path": "/"}}, [
            ".hostPath: Forbidden: may not specify more than 1 volume type"
        ]),
        ({"emptyDir": {"sizeLimit": "-1"}}, [
            ".emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"
        ]),
        ({"hostPath": {"path": "/a/../b"}}, ['.hostPath.path: Invalid value: "/a/../b": must not contain \'..\'']),
        ({"secret": {"secretName": "s", "items": [{"key": "k", "path": "/p", "mode": 512}]}}, [
            '.secret.items[0].path: Invalid value: "/p": must be a relative path',
            ".secret.items[0].mode: Invalid value: 512: "
            "must be a number between 0 and 0777 (octal), both inclusive",
        ]),
        ({"projected": {"sources": [{"configMap": {"name": "m"}, "secret": {"name": "s"}}]}}, [
            ".projected.sources[0]: Forbidden: may not specify more than 1 volume type per source"
        ]),
        ({"persistentVolumeClaim": {"claimName": ""}}, [".persistentVolumeClaim.claimName: Required value"]),
        ({"nfs": {"server": "s", "path": "p"}}, ['.nfs.path: Invalid value: "p": must be an absolute path']),
        ({"image": {}}, [".image.reference: Required value"]),
    ],
)  # fmt: skip
def test_a_bad_volume(refusals: Refusals, volume: Object, errors: list[str]) -> None:
    assert refusals(pod(volumes=[{"name": "v", **volume}])) == [f"spec.volumes[0]{error}" for error in errors]


def test_init_containers_wait_for_nothing_unless_they_stay(refusals: Refusals) -> None:
    init = {"name": "i", "image": "i", "livenessProbe": {"exec": {"command": ["x"]}}}
    why = "may not be set for init containers without restartPolicy=Always"
    assert refusals(pod(initContainers=[init])) == [f"spec.initContainers[0].livenessProbe: Forbidden: {why}"]
    assert refusals(pod(initContainers=[{**init, "restartPolicy": "Always"}])) == []


@pytest.mark.parametrize(
    ("toleration", "error"),
    [
        ({}, '.operator: Invalid value: "": operator must be Exists when `key` is empty, '
         'which means "match all values and all keys"'),
        ({"key": "k", "operator": "Exists", "value": "v"},
         '.operator: Invalid value: "v": value must be empty when `operator` is \'Exists\''),
        ({"key": "k", "tolerationSeconds": 1, "effect": "NoSchedule"},
         '.effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set'),
        ({"key": "k", "operator": "Gt", "value": "1"},
         '.operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"'),
    ],
)  # fmt: skip
def test_a_bad_toleration(refusals: Refusals, toleration: Object, error: str) -> None:
    assert refusals(pod(tolerations=[toleration])) == [f"spec.tolerations[0]{error}"]


def test_a_bad_affinity(refusals: Refusals) -> None:
    term = {"topologyKey": "", "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}
    weighted = {"weight": 101, "podAffinityTerm": term}
    at = "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]"
    errors = refusals(
        pod(affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}})
    )
    assert errors[:3] == [
        f"{at}.weight: Invalid value: 101: must be in the range 1-100",
        f"{at}.podAffinityTerm.labelSelector.matchExpressions[0].values: Required value: "
        "must be specified when `operator` is 'In' or 'NotIn'",
        f"{at}.podAffinityTerm.topologyKey: Required value: can not be empty",
    ]


def test_a_mirror_pod_has_a_node(refusals: Refusals) -> None:
    mirror = pod(metadata={"annotations": {"kubernetes.io/config.mirror": "x"}})
    why = "must set spec.nodeName if mirror pod annotation is set"
    assert refusals(mirror) == [f'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": {why}']


@pytest.mark.parametrize("text", ["{", "5", '[{"key": 5}]', "[" * 100_000])
def test_tolerations_in_an_annotation_are_read_as_in_the_spec(refusals: Refusals, text: str) -> None:
    annotation = "scheduler.alpha.kubernetes.io/tolerations"
    (error,) = refusals(pod(metadata={"annotations": {annotation: text}}))
    assert error.startswith(f'metadata.annotations: Invalid value: "{annotation}": ')


# ---------------------------------------------------------------- changes


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": [{"name": "c", "image": "nginx:1.28"}]},
        {"activeDeadlineSeconds": 5},
        {"tolerations": [{"key": "k", "operator": "Exists"}]},
    ],
)
def test_what_may_change(refusals_of_change: RefusalsOfChange, spec: Object) -> None:
    assert refusals_of_change(pod(), changed(pod(), **spec)) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": [{"name": "c", "image": "nginx:1.27", "command": ["x"]}]},
        {"nodeSelector": {"a": "b"}},
        {"restartPolicy": "Never"},
        {"priorityClassName": "high"},
    ],
)
def test_nothing_else_may_change(refusals_of_change: RefusalsOfChange, spec: Object) -> None:
    (error,) = refusals_of_change(pod(), changed(pod(), **spec))
    assert error.startswith("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,")
    assert "\n@@" in error


def test_containers_come_and_go_with_the_pod(refusals_of_change: RefusalsOfChange) -> None:
    two = changed(pod(), containers=[*pod()["spec"]["containers"], {"name": "d", "image": "i"}])
    assert refusals_of_change(pod(), two) == [
        "spec.containers: Forbidden: pod updates may not add or remove containers"
    ]


def test_a_deadline_only_shrinks(refusals_of_change: RefusalsOfChange) -> None:
    before = pod(activeDeadlineSeconds=10)
    at = "spec.activeDeadlineSeconds: Invalid value:"
    assert refusals_of_change(before, changed(before, activeDeadlineSeconds=5)) == []
    assert refusals_of_change(before, changed(before, activeDeadlineSeconds=11)) == [
        f"{at} 11: must be less than or equal to previous value"
    ]
    assert refusals_of_change(before, changed(before, activeDeadlineSeconds=None)) == [
        f"{at} null: must not update from a positive integer to nil value"
    ]


def test_tolerations_stay(refusals_of_change: RefusalsOfChange) -> None:
    before = pod(tolerations=[{"key": "k", "operator": "Exists"}])
    assert refusals_of_change(before, changed(before, tolerations=None)) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    ]


def test_a_gated_pod_may_be_told_where_to_run(refusals_of_change: RefusalsOfChange) -> None:
    gated = pod(schedulingGates=[{"name": "g"}], nodeSelector={"a": "b"})
    assert refusals_of_change(gated, changed(gated, nodeSelector={"a": "b", "c": "d"})) == []
    assert refusals_of_change(gated, changed(gated, schedulingGates=None)) == []
    assert refusals_of_change(gated, changed(gated, nodeSelector={"c": "d"})) == [
        'spec.nodeSelector: Invalid value: {"c":"d"}: only additions to spec.nodeSelector are allowed '
        "(no mutations or deletions)"
    ]
    assert refusals_of_change(gated, changed(gated, schedulingGates=[{"name": "g"}, {"name": "h"}])) == [
        "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"
    ]
