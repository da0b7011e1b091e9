"""How parts of a kind cluster are stopped, and put back whatever became of the run that stopped them."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from standins import calls, pretender
from waiting import AMPLE

from autograder.clusters import ClusterError
from autograder.clusters.kind.engine import EngineError, Tools
from autograder.clusters.kind.powers import COMPONENTS, STATIC, KindPowers
from autograder.clusters.scratch import locked

NODES = ["course-control-plane", "course-worker", "course-worker2"]
RUNNING = {"^inspect": {"out": "true\n"}}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pretender(tmp_path, "docker", RUNNING)
    pretender(tmp_path, "kind", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


Open = Callable[..., KindPowers]


@pytest.fixture
def opened(programs: Path) -> Iterator[Open]:
    """Opens powers over the cluster that pretends, as runs do; all are closed at the end."""
    known = dict(zip(("control-plane", "worker-1", "worker-2"), NODES, strict=True))
    with contextlib.ExitStack() as stack:

        def open_one(patience: float = AMPLE) -> KindPowers:
            powers = KindPowers(Tools.find(), "course", NODES, lambda node: known.get(node, node), patience=patience)
            stack.callback(powers.close)
            return powers

        yield open_one


def asked(programs: Path) -> list[str]:
    return [line for line in calls(programs, "docker") if line != "info"]


@pytest.mark.parametrize("component", STATIC)
def test_a_static_pod_is_stopped_by_moving_its_manifest_aside(programs: Path, opened: Open, component: str) -> None:
    opened().stop(component)
    moved, looked = asked(programs)
    assert f"mv /etc/kubernetes/manifests/{component}.yaml /etc/kubernetes/autograder-stopped/" in moved
    assert moved.startswith("exec course-control-plane sh -c")
    assert looked == f"exec course-control-plane crictl ps --state Running --name {component} -q"


@pytest.mark.parametrize("component", STATIC)
def test_it_is_started_by_moving_its_manifest_back(programs: Path, opened: Open, component: str) -> None:
    pretender(programs, "docker", {"crictl ps": {"out": "4f3a\n"}})
    opened().start(component)
    moved = f"mv /etc/kubernetes/autograder-stopped/{component}.yaml /etc/kubernetes/manifests/"
    assert any(moved in line for line in asked(programs))


@pytest.mark.parametrize("component", ["kube-controller-manager", "kube-scheduler"])
def test_what_has_to_lead_before_it_works_is_waited_for(programs: Path, opened: Open, component: str) -> None:
    rules = {
        "ls /etc": {"out": "etcd.yaml\nkube-apiserver.yaml\n"},
        "crictl ps": {"out": "4f3a\n"},
        "get lease": {"out": "10:00:00", "once": "before"},
        "get lease ": {"out": "10:00:00", "once": "waiting"},
        "get leas": {"out": "10:01:15"},
    }
    pretender(programs, "docker", rules)
    opened().start(component)
    assert sum(f"get lease {component}" in line for line in asked(programs)) == 3
    pretender(programs, "docker", {**rules, "get leas": {"out": "10:00:00"}})
    with pytest.raises(ClusterError, match=f"{component} leads"):
        opened(patience=0.3).start(component)


def test_nobody_leads_without_an_api_server(programs: Path, opened: Open) -> None:
    pretender(programs, "docker", {"ls /etc": {"out": "etcd.yaml\n"}, "crictl ps": {"out": "4f3a\n"}})
    opened().start("kube-scheduler")
    assert sum("get lease" in line for line in asked(programs)) == 1


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver"])
def test_what_has_ended_for_want_of_it_is_not_left_to_the_patience_of_the_kubelet(
    programs: Path, opened: Open, component: str
) -> None:
    rules = {
        "ls /etc/kubernetes/manifests": {"out": "".join(f"{one}.yaml\n" for one in STATIC)},
        "crictl ps .* kube-controller-manager": {"once": "ended"},
        "crictl ps": {"out": "4f3a\n"},
    }
    pretender(programs, "docker", rules)
    opened().start(component)
    lines = asked(programs)
    restart = next(number for number, line in enumerate(lines) if "systemctl restart kubelet" in line)
    assert any("crictl ps" in line and "kube-controller-manager" in line for line in lines[restart:])


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver"])
def test_the_kubelet_is_left_alone_where_nothing_has_ended(programs: Path, opened: Open, component: str) -> None:
    pretender(programs, "docker", {"ls /etc": {"out": "etcd.yaml\n"}, "crictl ps": {"out": "4f3a\n"}})
    opened().start(component)
    assert not any("systemctl" in line for line in asked(programs))


@pytest.mark.parametrize(("component", "other"), [("etcd", "kube-apiserver"), ("kube-apiserver", "etcd")])
def test_nobody_waits_for_the_api_while_the_other_half_of_it_is_stopped(
    programs: Path, opened: Open, component: str, other: str
) -> None:
    rules = {"ls /etc": {"out": f"{component}.yaml\n"}, "crictl ps": {"out": "4f3a\n"}, "readyz": {"code": 1}}
    pretender(programs, "docker", rules)
    opened().start(component)
    assert not any(other in line for line in asked(programs))


def test_an_api_server_that_waits_to_be_started_again_is_not_left_to_the_patience_of_the_kubelet(
    programs: Path, opened: Open
) -> None:
    rules = {
        "ls /etc": {"out": "etcd.yaml\nkube-apiserver.yaml\n"},
        "crictl ps .* kube-apiserver": {"once": "ended"},
        "crictl ps": {"out": "4f3a\n"},
    }
    pretender(programs, "docker", rules)
    opened().start("etcd")
    lines = asked(programs)
    restart = next(number for number, line in enumerate(lines) if "systemctl restart kubelet" in line)
    assert any("readyz" in line for line in lines[restart:])


def test_the_kubelet_is_stopped_on_every_node(programs: Path, opened: Open) -> None:
    opened().stop("kubelet")
    assert [line.split()[1] for line in asked(programs)] == NODES
    assert all("systemctl stop kubelet" in line for line in asked(programs))


def test_kube_proxy_is_sent_nowhere_and_called_back(programs: Path, opened: Open) -> None:
    powers = opened()
    powers.stop("kube-proxy")
    powers.start("kube-proxy")
    patches = [line.rpartition("-p ")[2] for line in asked(programs) if "patch daemonset kube-proxy" in line]
    selectors = [json.loads(patch)["spec"]["template"]["spec"]["nodeSelector"] for patch in patches]
    assert selectors == [{"autograder-stopped": "autograder-stopped"}, {"autograder-stopped": None}]


def test_coredns_is_scaled_to_nothing_and_back(programs: Path, opened: Open) -> None:
    powers = opened()
    powers.stop("coredns")
    powers.start("coredns")
    scaled = [line.rpartition(" ")[2] for line in asked(programs) if "scale deployment coredns" in line]
    assert scaled == ["--replicas=0", "--replicas=2"]


def test_the_power_of_a_node_is_that_of_its_container(programs: Path, opened: Open) -> None:
    powers = opened()
    powers.power_off("worker-2")
    powers.power_on("worker-2")
    assert asked(programs)[:2] == ["kill course-worker2", "start course-worker2"]


def test_a_node_with_power_is_there_when_its_kubelet_answers(programs: Path, opened: Open) -> None:
    silent = {"healthz": {"code": 7, "once": "booting"}}
    pretender(programs, "docker", silent)
    opened().power_on("worker-2")
    assert sum("healthz" in line for line in asked(programs)) == 2
    pretender(programs, "docker", {"healthz": {"code": 7}})
    with pytest.raises(ClusterError, match="the kubelet of worker-2 answers"):
        opened(patience=0.3).power_on("worker-2")


@pytest.mark.parametrize(("component", "workload"), [("kube-proxy", "daemonset"), ("coredns", "deployment")])
def test_what_is_called_back_is_waited_for(programs: Path, opened: Open, component: str, workload: str) -> None:
    opened().start(component)
    assert f"rollout status {workload} {component} --timeout={AMPLE:g}s" in asked(programs)[-1]


def test_commands_of_a_node_run_in_its_container(programs: Path, opened: Open) -> None:
    pretender(programs, "docker", {"^exec course-worker ps aux": {"out": "PID 1\n"}})
    assert opened().command("worker-1", "ps", "aux") == "PID 1\n"


def test_a_run_that_was_cut_off_is_put_back_by_the_next(programs: Path, opened: Open) -> None:
    dark = {"^inspect .* course-worker2$": {"out": "false\n"}, **RUNNING, "get deployment coredns": {"out": "0"}}
    pretender(programs, "docker", dark)
    opened().restore()
    lines = asked(programs)
    assert "start course-worker2" in lines
    for component in STATIC:
        assert any(f"autograder-stopped/{component}.yaml /etc/kubernetes/manifests/" in line for line in lines)
    assert sum("systemctl start kubelet" in line for line in lines) == len(NODES)
    assert any("patch daemonset kube-proxy" in line and "null" in line for line in lines)
    assert any("scale deployment coredns" in line for line in lines)


def test_what_runs_is_left_alone(programs: Path, opened: Open) -> None:
    pretender(programs, "docker", {**RUNNING, "get deployment coredns": {"out": "3"}})
    opened().restore()
    assert not any("scale deployment" in line or line.startswith("start") for line in asked(programs))
    conditional = [line for line in asked(programs) if "mv /etc" in line]
    assert all("test ! -f /etc/kubernetes/autograder-stopped/" in line for line in conditional)


@pytest.mark.parametrize(
    ("nodes", "moved"), [("course-worker course-worker", True), ("course-worker course-worker2", False), ("one", False)]
)
def test_coredns_is_not_left_on_a_single_node(programs: Path, opened: Open, nodes: str, moved: bool) -> None:
    pretender(programs, "docker", {**RUNNING, "get pods -l k8s-app=kube-dns": {"out": nodes}})
    opened().restore()
    assert any("rollout restart deployment coredns" in line for line in asked(programs)) is moved


def test_what_another_run_has_stopped_on_purpose_is_left_alone(programs: Path, opened: Open) -> None:
    first, second = opened(), opened(patience=0.3)
    first.power_off("worker-1")
    before = asked(programs)
    with pytest.raises(ClusterError, match="another run has started again what it had stopped"):
        second.restore()
    assert asked(programs) == before
    with pytest.raises(ClusterError, match="another run has stopped parts"):
        second.stop("kubelet")
    first.close()
    second.stop("kubelet")


def test_a_component_that_does_not_end_is_told(programs: Path, opened: Open) -> None:
    pretender(programs, "docker", {"crictl ps": {"out": "4f3a\n"}})
    with pytest.raises(ClusterError, match=r"not within 0\.3 seconds: kube-scheduler has ended"):
        opened(patience=0.3).stop("kube-scheduler")


def test_an_api_server_that_does_not_come_back_is_told(programs: Path, opened: Open) -> None:
    manifests = {"ls /etc": {"out": "etcd.yaml\nkube-apiserver.yaml\n"}, "crictl ps": {"out": "4f3a\n"}}
    silent = {"get --raw /readyz": {"code": 1, "err": "connection refused"}}
    pretender(programs, "docker", {**RUNNING, **manifests, **silent})
    with pytest.raises(ClusterError, match=r"not within 0\.3 seconds: the API server answers"):
        opened(patience=0.3).restore()


def test_a_node_whose_container_is_gone_is_told(programs: Path, opened: Open) -> None:
    pretender(
        programs,
        "docker",
        {"^exec": {"code": 1, "err": "Error response from daemon: No such container: course-control-plane"}},
    )
    with pytest.raises(EngineError, match="No such container"):
        opened().stop("kube-scheduler")


def test_unknown_names_are_refused(programs: Path, opened: Open) -> None:
    powers = opened()
    with pytest.raises(ValueError, match="no component is called kube-shredder; there are etcd"):
        powers.stop("kube-shredder")
    with pytest.raises(ValueError, match="there is no node worker-9"):
        powers.power_off("worker-9")
    assert len(COMPONENTS) == 7


def test_locks_end_with_their_process(programs: Path) -> None:
    path = programs / "lock"
    first = locked(path)
    assert first is not None
    assert locked(path) is None
    first.close()
    again = locked(path)
    assert again is not None
    again.close()
