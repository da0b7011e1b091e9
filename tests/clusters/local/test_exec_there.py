"""kubectl and containers of a local cluster: commands, clients that are attached, logs and ports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.clusters import kubectl
from autograder.clusters.kubectl import Ran
from autograder.clusters.local.cluster import LocalCluster

pytestmark = [pytest.mark.needs("kube-apiserver"), pytest.mark.timeout(600)]
ETCD = (
    "exec -n kube-system etcd-control-plane -- etcdctl --cacert=/etc/kubernetes/pki/etcd/ca.crt "
    "--cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key"
).split()

Kubectl = Callable[..., Ran]


@pytest.fixture(scope="module")
def run(local: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    home = tmp_path_factory.mktemp("home")

    def kubectl_run(*words: str, stdin: str = "") -> Ran:
        config = Path(local.connection.path)
        return kubectl.run([*words], kubeconfig=config, home=home, folder=home, stdin=stdin, timeout=150, most=10**6)

    assert kubectl_run("wait", "--for=create", "serviceaccount/default", "--timeout=120s").code == 0
    assert kubectl_run("run", "shell", "--image=busybox:1.36", "--", "sleep", "3600").code == 0
    assert kubectl_run("wait", "--for=condition=Ready", "pod/shell", "--timeout=120s").code == 0
    return kubectl_run


def test_a_command_prints_on_both_streams_and_gives_its_exit_code(run: Kubectl) -> None:
    ran = run("exec", "shell", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (ran.code, ran.out) == (3, "out\n")
    assert ran.err == "err\ncommand terminated with exit code 3\n"


def test_a_command_reads_what_is_typed_to_it(run: Kubectl) -> None:
    assert run("exec", "-i", "shell", "--", "tr", "a-z", "A-Z", stdin="hello\n").out == "HELLO\n"


def test_a_command_that_is_not_there_is_told(run: Kubectl) -> None:
    ran = run("exec", "shell", "--", "nosuch")
    assert ran.code == 1
    assert 'exec: "nosuch": executable file not found in $PATH' in ran.err


def test_etcd_shows_what_the_real_api_server_has_written(run: Kubectl) -> None:
    assert (
        run(*ETCD, "get", "/registry/pods/default/shell", "--keys-only").out.strip() == "/registry/pods/default/shell"
    )
    assert '"kind":"Pod"' in run(*ETCD, "get", "/registry/pods/default/shell", "--print-value-only").out


def test_a_log_is_followed_until_its_container_has_ended(run: Kubectl) -> None:
    script = "for i in 1 2 3; do echo tick $i; sleep 1; done"
    assert run("run", "beat", "--image=busybox:1.36", "--restart=Never", "--", "sh", "-c", script).code == 0
    run("wait", "--for=jsonpath={.status.containerStatuses[0].started}", "pod/beat", "--timeout=120s")
    assert run("logs", "-f", "beat").out == "tick 1\ntick 2\ntick 3\n"


def test_a_pod_is_run_for_whoever_types(run: Kubectl) -> None:
    ran = run("run", "door", "--image=busybox:1.36", "-i", "--rm", "--restart=Never", "--", "cat", stdin="knock\n")
    assert "knock\n" in ran.out
    assert run("get", "pod", "door").code == 1
