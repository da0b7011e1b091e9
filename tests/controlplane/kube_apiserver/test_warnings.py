"""Clients are warned of what is accepted and still not as it should be, in the words and the order of Kubernetes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from asking import DEFAULT, Object, World

from autograder.controlplane.apimachinery.wire import Response
from autograder.controlplane.kube_apiserver import warnings
from autograder.controlplane.kube_apiserver.warnings import keypairs

APPS = "/apis/apps/v1/namespaces/default"
BATCH = "/apis/batch/v1/namespaces/default"
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def tried(world: World, path: str, body: Object) -> Response:
    """What a create would answer."""
    return world.ask("POST", f"{path}?dryRun=All", body=body)


def told(world: World, path: str, body: Object) -> list[str]:
    """What a client is warned of who creates an object, which must succeed."""
    answer = tried(world, path, body)
    assert answer.code == 201, answer.body
    return answer.warnings


def pod(*containers: Object, **spec: Any) -> Object:
    default = {"name": "c", "image": "nginx:1.27"}
    return {
        "metadata": {"name": "web", **spec.pop("metadata", {})},
        "spec": {"containers": [{**default, **one} for one in containers or ({},)], **spec},
    }


def deployment(template: Object, name: str = "web") -> Object:
    labels = {"app": "web"}
    metadata = {**template["metadata"], "labels": labels}
    metadata.pop("name")
    template = {"metadata": metadata, "spec": template["spec"]}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": template}}


NULL_SELECTOR = "a null labelSelector results in matching no pod"
PORT: Object = {"containerPort": 80}

#: A part of a pod, and what is said of it below ``spec`` of the pod or of a template.
OF_PODS: list[tuple[Object, list[str]]] = [
    (pod(), []),
    (
        pod(nodeSelector={"beta.kubernetes.io/os": "linux"}),
        ['nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ),
    (
        pod(
            topologySpreadConstraints=[
                {"maxSkew": 1, "topologyKey": "beta.kubernetes.io/arch", "whenUnsatisfiable": "ScheduleAnyway"}
            ]
        ),
        [
            "topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is deprecated since v1.14; "
            'use "kubernetes.io/arch" instead',
            f"topologySpreadConstraints[0].labelSelector: {NULL_SELECTOR}",
        ],
    ),
    (
        pod(
            affinity={
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]
                }
            }
        ),
        [f"affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: {NULL_SELECTOR}"],
    ),
    (
        pod(
            affinity={
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 1,
                            "preference": {"matchExpressions": [{"key": "k", "operator": "In", "values": ["-"]}]},
                        }
                    ]
                }
            }
        ),
        [
            "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0]"
            ".values[0]: - is invalid, a valid label must be an empty string or consist of alphanumeric characters, "
            "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
            "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        ],
    ),
    (
        pod(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.1", "hostnames": ["b"]}]),
        ['hostAliases[1].ip: duplicate ip "10.0.0.1"'],
    ),
    (
        pod(imagePullSecrets=[{"name": "a"}, {"name": "a"}, {}]),
        ['imagePullSecrets[1].name: duplicate name "a"', 'imagePullSecrets[2].name: invalid empty name ""'],
    ),
    (
        pod({"resources": {"limits": {"memory": "100m"}, "requests": {"memory": "0.1"}}}),
        [
            'containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
            'containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
        ],
    ),
    (
        pod({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "3"}]}),
        ['containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
    ),
    (
        pod({"ports": [PORT]}, {"name": "d", "ports": [PORT]}),
        ["containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]"],
    ),
    (
        pod({"ports": [PORT, {**PORT, "hostPort": 80}]}),
        ["containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]"],
    ),
    (
        pod({"ports": [{**PORT, "hostPort": 80}, {**PORT, "hostPort": 80, "hostIP": "10.0.0.1"}]}),
        ["containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]"],
    ),
    (
        pod({"ports": [{**PORT, "hostIP": "10.0.0.1"}]}),
        [
            "containers[0].ports[0]: hostIP set without hostPort: "
            "{Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"
        ],
    ),
    (
        pod({"ports": [{**PORT, "name": "http"}]}, {"name": "d", "ports": [{"name": "http", "containerPort": 81}]}),
        [
            'containers[1].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], services and probes '
            "that select ports by name will use spec.containers[0].ports[0]"
        ],
    ),
    (
        pod(dnsConfig={"nameservers": ["FD00::1"]}),
        ['dnsConfig.nameservers[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")'],
    ),
]


@pytest.mark.parametrize(("asked", "said"), OF_PODS)
def test_of_a_new_pod(world: World, asked: Object, said: list[str]) -> None:
    assert told(world, f"{DEFAULT}/pods", asked) == [f"spec.{one}" for one in said]


@pytest.mark.parametrize(("asked", "said"), OF_PODS)
def test_of_the_template_of_a_deployment(world: World, asked: Object, said: list[str]) -> None:
    expected = [f"spec.template.spec.{one.replace('spec.containers', 'spec.template.spec.containers')}" for one in said]
    assert told(world, f"{APPS}/deployments", deployment(asked)) == expected


def test_of_files_that_lie_upon_each_other(world: World) -> None:
    items = [{"key": "a", "path": "dir"}, {"key": "b", "path": "dir/file"}]
    volumes: list[Object] = [
        {"name": "c", "configMap": {"name": "cfg", "items": items}},
        {"name": "p", "projected": {"sources": [
            {"secret": {"name": "s", "items": items[:1]}}, {"configMap": {"name": "cfg", "items": items[1:]}}, {},
        ]}},
    ]  # fmt: skip
    assert told(world, f"{DEFAULT}/pods", pod(volumes=volumes)) == [
        'volume "c" (ConfigMap "cfg"): overlapping paths: "dir/file" with "dir"',
        'volume "p" (Projected): overlapping paths: "dir/file" (ConfigMap "cfg") with "dir" (Secret "s")',
        'volume "p" (Projected) has no sources provided',
    ]


def test_of_names_that_make_odd_names_of_hosts(world: World) -> None:
    recommended = "which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
    dotted = pod(metadata={"name": "a.b"})
    assert told(world, f"{DEFAULT}/pods", dotted) == [
        f"metadata.name: this is used in the Pod's hostname, {recommended}"
    ]
    assert told(world, f"{APPS}/deployments", deployment(pod(), "a.b")) == [
        f"metadata.name: this is used in Pod names and hostnames, {recommended}"
    ]


SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
APPARMOR = "container.apparmor.security.beta.kubernetes.io/c"


def test_of_annotations_that_have_become_fields(world: World) -> None:
    annotated = pod(metadata={"annotations": {SECCOMP: "runtime/default", APPARMOR: "runtime/default"}})
    seccomp = f'metadata.annotations[{SECCOMP}]: non-functional in v1.27+; use the "seccompProfile" field instead'
    apparmor = f'metadata.annotations[{APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    assert told(world, f"{DEFAULT}/pods", annotated) == [apparmor, seccomp]
    in_template = [f"spec.template.{seccomp}", f"spec.template.{apparmor}"]
    assert told(world, f"{APPS}/deployments", deployment(annotated)) == in_template


def test_what_was_said_before_a_refusal_is_said_with_it(world: World) -> None:
    annotated = pod(metadata={"annotations": {APPARMOR: "runtime/default"}}, restartPolicy="Sometimes", bogus=1)
    answer = tried(world, f"{DEFAULT}/pods", annotated)
    assert answer.code == 422
    assert answer.warnings[0] == 'unknown field "spec.bogus"'
    assert [one.partition(":")[0] for one in answer.warnings[1:]] == [f"metadata.annotations[{APPARMOR}]"]


def service(**spec: Any) -> Object:
    return {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], **spec}}


def tls(certificate: bytes, key: bytes) -> Object:
    data = {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()}
    return {"metadata": {"name": "tls"}, "type": "kubernetes.io/tls", "data": data}


VOLUME: Object = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}

OF_OTHERS: list[tuple[str, Object, list[str]]] = [
    (
        f"{DEFAULT}/services",
        service(externalIPs=["1.2.3.4"]),
        ["spec.externalIPs is deprecated and may no longer be implemented in some clusters"],
    ),
    (
        f"{DEFAULT}/services",
        service(clusterIP="None", externalIPs=["1.2.3.4"], sessionAffinity="ClientIP"),
        [
            "spec.externalIPs is ignored for headless services",
            "spec.SessionAffinity is ignored for headless services",
        ],
    ),
    (
        f"{DEFAULT}/services",
        service(type="ExternalName", externalName="example.com", externalIPs=["1.2.3.4"]),
        ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
    ),
    (
        f"{DEFAULT}/services",
        service(externalName="example.com"),
        ['spec.externalName is ignored when spec.type is not "ExternalName"'],
    ),
    (
        f"{DEFAULT}/services",
        service(trafficDistribution="PreferClose"),
        ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    ),
    (
        f"{DEFAULT}/persistentvolumeclaims",
        {
            "metadata": {"name": "data", "annotations": {"volume.beta.kubernetes.io/storage-class": "standard"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}},
        },
        [
            "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "
            '"storageClassName" attribute instead',
            'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
        ],
    ),
    (
        "/api/v1/persistentvolumes",
        {"metadata": {"name": "data"}, "spec": {**VOLUME, "persistentVolumeReclaimPolicy": "Recycle"}},
        [
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
            "approach is to use dynamic provisioning."
        ],
    ),
    (
        f"{DEFAULT}/resourcequotas",
        {"metadata": {"name": "quota"}, "spec": {"hard": {"cpu": "2", "limits.cpu": "1"}}},
        ["ResourceQuota cpu (2) should be less than limits.cpu (1)"],
    ),
    (
        f"{DEFAULT}/secrets",
        tls(b"no", b"no"),
        ["tls: failed to find any PEM data in certificate input"],
    ),
    (
        f"{DEFAULT}/endpoints",
        {"metadata": {"name": "web"}, "subsets": [{"addresses": [{"ip": "fd00:0::1"}], "ports": [{"port": 80}]}]},
        [
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
            'subsets[0].addresses[0].ip: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")',
        ],
    ),
    (
        "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
        {
            "metadata": {"name": "web", "annotations": {"kubernetes.io/ingress.class": "nginx"}},
            "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        },
        ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"],
    ),
    (
        f"{BATCH}/jobs",
        {
            "metadata": {"name": "many"},
            "spec": {
                "completionMode": "Indexed",
                "completions": 100001,
                "parallelism": 10001,
                "backoffLimitPerIndex": None,
                "template": {"spec": {**pod()["spec"], "restartPolicy": "Never"}},
            },
        },
        [
            "spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ],
    ),
]


@pytest.mark.parametrize(("path", "asked", "said"), OF_OTHERS)
def test_of_other_new_objects(world: World, path: str, asked: Object, said: list[str]) -> None:
    assert told(world, path, asked) == said


#: Of a pod, which then has another, nothing is said.
IMPATIENT = pod(terminationGracePeriodSeconds=-1)
OF_IMPATIENT = [
    "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated "
    "as 1"
]


def test_a_change_of_the_spec_is_spoken_of_and_no_other(world: World) -> None:
    assert told(world, f"{DEFAULT}/pods", IMPATIENT) == []
    assert told(world, f"{APPS}/deployments", deployment(IMPATIENT)) == OF_IMPATIENT
    world.create(f"{APPS}/deployments", deployment(IMPATIENT))
    path = f"{APPS}/deployments/web"
    for patched, expected in (
        (world.ask("PATCH", path, body={"spec": {"paused": True}}, content_type=MERGE), OF_IMPATIENT),
        (world.ask("PATCH", path, body={"metadata": {"labels": {"a": "b"}}}, content_type=MERGE), []),
        (world.ask("PATCH", f"{path}/scale", body={"spec": {"replicas": 2}}, content_type=MERGE), OF_IMPATIENT),
        (world.ask("PATCH", f"{path}/status", body={"status": {"replicas": 2}}, content_type=MERGE), []),
    ):
        assert patched.code == 200, patched.body
        assert patched.warnings == expected


def test_a_changed_pod_is_not_spoken_of(world: World) -> None:
    world.create(f"{DEFAULT}/pods", pod(imagePullSecrets=[{}], metadata={"name": "changed"}))
    answer = world.ask(
        "PATCH", f"{DEFAULT}/pods/changed", body={"metadata": {"labels": {"a": "b"}}}, content_type=MERGE
    )
    assert (answer.code, answer.warnings) == (200, [])


def test_owners_that_are_named_twice_are_told_of(world: World) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1"}
    twice: Object = {"metadata": {"name": "owned", "ownerReferences": [owner, owner]}}
    said = ".metadata.ownerReferences contains duplicate entries{}; API server dedups owner references in 1.20+, and "
    assert [one[: len(said) - 2] for one in told(world, f"{DEFAULT}/configmaps", twice)] == [said.format("")]
    world.create(f"{DEFAULT}/configmaps", {"metadata": {"name": "owned"}})
    path = f"{DEFAULT}/configmaps/owned"
    put = world.ask("PUT", path, body=twice)
    patched = world.ask("PATCH", path, body={**twice, "data": {"a": "b"}}, content_type=MERGE)
    for answer, when in ((put, ""), (patched, " after mutating admission happens")):
        assert answer.body["metadata"]["ownerReferences"] == [owner]
        assert [one.partition("and ")[0] + "and " for one in answer.warnings] == [said.format(when)]


def test_a_kind_that_is_deprecated_says_so_with_every_answer(world: World) -> None:
    said = ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]
    assert world.ask("GET", f"{DEFAULT}/endpoints").warnings == said
    missing = world.ask("GET", f"{DEFAULT}/endpoints/none")
    assert (missing.code, missing.warnings) == (404, said)


# ---------------------------------------------------------------- which go out


def test_each_is_said_once_and_none_with_control_characters() -> None:
    assert warnings.recorded(["a", "b", "a", "", "a\nb"]) == ["a", "b"]


def test_many_are_cut_until_they_are_too_many() -> None:
    long = [f"{number:03d}" + "x" * 997 for number in range(20)]
    assert warnings.recorded(long[:4]) == long[:4]
    cut = warnings.recorded(long)
    assert len(cut) == warnings.TOTAL_LIMIT // warnings.ITEM_LIMIT
    assert {len(one) for one in cut} == {warnings.ITEM_LIMIT}


# ---------------------------------------------------------------- certificates and keys

SEQUENCE = base64.b64encode(b"\x30\x03\x02\x01\x05")


def block(kind: bytes, body: bytes = SEQUENCE) -> bytes:
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (kind, body, kind)


CERTIFICATE, KEY = block(b"CERTIFICATE"), block(b"RSA PRIVATE KEY")


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (CERTIFICATE, KEY, ""),
        (b"text before\n" + CERTIFICATE, block(b"EC PARAMETERS") + KEY, ""),
        (b"", KEY, "tls: failed to find any PEM data in certificate input"),
        (block(b"CERTIFICATE", b"***"), KEY, "tls: failed to find any PEM data in certificate input"),
        (
            KEY,
            CERTIFICATE,
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may "
            "have been switched",
        ),
        (CERTIFICATE, b"", "tls: failed to find any PEM data in key input"),
        (CERTIFICATE, CERTIFICATE, "tls: found a certificate rather than a key in the PEM for the private key"),
        (
            CERTIFICATE,
            block(b"PUBLIC KEY"),
            'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of '
            "the following types: [PUBLIC KEY]",
        ),
        (block(b"CERTIFICATE", b"Zm9v"), KEY, "x509: malformed certificate"),
        (CERTIFICATE, block(b"PRIVATE KEY", b"Zm9v"), "tls: failed to parse private key"),
    ],
)
def test_what_is_wrong_with_a_pair(certificate: bytes, key: bytes, said: str) -> None:
    assert keypairs.problem(certificate, key) == said
