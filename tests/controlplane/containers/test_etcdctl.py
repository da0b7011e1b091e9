"""``etcdctl`` as a learner runs it in the container of etcd: what etcdctl prints, of the cluster's own store."""

from __future__ import annotations

import base64
import json
from functools import cache

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.node_connection import ExecResult
from autograder.controlplane.cluster import Cluster

PKI = "/etc/kubernetes/pki/etcd/"
CERTIFICATES = (f"--cacert={PKI}ca.crt", f"--cert={PKI}server.crt", f"--key={PKI}server.key")
KEY = "/registry/configmaps/default/colours"
TIMED_OUT = "Error: context deadline exceeded\n"


@cache
def booted() -> Cluster:
    """A cluster with one ConfigMap; forked by whoever changes it."""
    cluster = Cluster()
    cluster.advance(30)
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colours"}, "data": {"sky": "blue"}}
    cluster.client().create(scheme.CONFIGMAPS, "default", manifest)
    return cluster


def run(*words: str, cluster: Cluster | None = None, certificates: tuple[str, ...] = CERTIFICATES) -> ExecResult:
    """Run etcdctl with kubeadm's certificates."""
    kubelets = (cluster or booted().fork())._nodes_connection()
    assert kubelets is not None
    command = ["etcdctl", *certificates, *words]
    return kubelets.exec("control-plane", "kube-system", "etcd-control-plane", "etcd", command, "")


def test_keys_are_listed_in_order_each_with_an_empty_line() -> None:
    result = run("get", "/registry/namespaces", "--prefix", "--keys-only")
    names = ("default", "kube-node-lease", "kube-public", "kube-system")
    assert result.stdout == "".join(f"/registry/namespaces/{name}\n\n" for name in names)
    assert (result.stderr, result.code) == ("", 0)


def test_a_value_is_the_object_without_its_revision() -> None:
    key, value = run("get", KEY).stdout.splitlines()
    assert key == KEY
    stored = json.loads(value)
    assert stored["data"] == {"sky": "blue"}
    assert "resourceVersion" not in stored["metadata"]
    assert run("get", KEY, "--print-value-only").stdout.splitlines() == [value]


def test_fields_tell_the_revisions_that_objects_carry() -> None:
    cluster = booted().fork()
    version = cluster.client().get(scheme.CONFIGMAPS, "default", "colours")["metadata"]["resourceVersion"]
    lines = run("get", KEY, "--keys-only", "-w", "fields", cluster=cluster).stdout.splitlines()
    revisions = [f'"CreateRevision" : {version}', f'"ModRevision" : {version}']
    assert lines[4:8] == [f'"Key" : "{KEY}"', *revisions, '"Version" : 1']
    assert lines[-2:] == ['"More" : false', '"Count" : 1']


def test_json_has_keys_and_values_in_base64() -> None:
    answer = json.loads(run("get", KEY, "-w=json").stdout)
    assert base64.b64decode(answer["kvs"][0]["key"]).decode() == KEY
    assert json.loads(base64.b64decode(answer["kvs"][0]["value"]))["kind"] == "ConfigMap"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("get", "/registry/pods", "--keys-only"), 0),
        (("get", "/registry/namespaces", "--prefix", "--keys-only", "--limit=2"), 2),
        (("get", "/registry/namespaces/default", "/registry/namespaces/kube-public", "--keys-only"), 2),
        (("get", "/", "--prefix", "--keys-only", "--rev=2"), 1),
    ],
    ids=["no such key", "a limit", "a range", "the past"],
)
def test_what_is_asked_for_is_listed(words: tuple[str, ...], count: int) -> None:
    assert len(run(*words).stdout.split()) == count


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("get", "/", "--prefix", "-key"), "Error: unknown shorthand flag: 'k' in -key\n"),
        (("get", "/", "--prefixes"), "Error: unknown flag: --prefixes\n"),
        (("get",), "Error: get command needs one argument as key and an optional argument as range_end\n"),
        (("frob",), 'Error: unknown command "frob" for "etcdctl"\n'),
        (("get", "/", "--rev=999999"), "Error: etcdserver: mvcc: required revision is a future revision\n"),
        (("--cacert=/nowhere", "get", "/"), "Error: open /nowhere: no such file or directory\n"),
        (("--endpoints=https://127.0.0.1:2380", "get", "/"), TIMED_OUT),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_etcdctl(words: tuple[str, ...], complaint: str) -> None:
    result = run(*words)
    assert (result.stdout, result.stderr, result.code) == ("", complaint, 1)


def test_nobody_gets_an_answer_without_certificates() -> None:
    assert run("get", "/", "--prefix", certificates=CERTIFICATES[:1]).stderr == TIMED_OUT


def test_the_only_member_and_its_health_are_told() -> None:
    assert run("member", "list").stdout.split(", ")[1:] == [
        "started", "control-plane", "https://10.250.0.10:2380", "https://10.250.0.10:2379", "false\n",
    ]  # fmt: skip
    assert "| control-plane |" in run("member", "list", "-w", "table").stdout
    assert run("endpoint", "health").stderr.startswith("127.0.0.1:2379 is healthy")


def test_what_is_deleted_behind_the_back_of_the_api_server_is_gone() -> None:
    cluster = booted().fork()
    assert run("del", KEY, cluster=cluster).stdout == "1\n"
    assert run("del", KEY, cluster=cluster).stdout == "0\n"
    names = [item["metadata"]["name"] for item in cluster.client().list(scheme.CONFIGMAPS, "default")[0]]
    assert "colours" not in names


def test_there_is_no_shell_in_the_image() -> None:
    kubelets = booted().fork()._nodes_connection()
    assert kubelets is not None
    result = kubelets.exec("control-plane", "kube-system", "etcd-control-plane", "etcd", ["sh"], "")
    assert result.failure.endswith('exec: "sh": executable file not found in $PATH: unknown')
