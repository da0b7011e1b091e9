"""``autograder cluster serve``, and real clients against it: kubectl and the official Python client."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from served import PATIENCE, Served, needs_kubectl, serving

from autograder.cli import main
from autograder.controlplane.fronts.serve import UnusableOptionError, read_nodes

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27"}]}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests of this module; each test has names of its own."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@needs_kubectl
class TestKubectl:
    """What a student does in a terminal."""

    def test_looks_around(self, served: Served) -> None:
        assert "Server Version: v1.36.2" in served.kubectl("version")
        assert [line[:3:2] for line in served.table("get nodes")] == [
            ["control-plane", "control-plane"], ["worker-1", "<none>"], ["worker-2", "<none>"],
        ]  # fmt: skip
        assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in served.table("api-resources")
        assert "FIELD: replicas <integer>" in served.kubectl("explain deployment.spec.replicas")
        assert served.kubectl("get --raw /readyz") == "ok"

    def test_applies_a_manifest_again_and_again(self, served: Served) -> None:
        assert served.kubectl("apply -f -", DEPLOYMENT) == "deployment.apps/web created\n"
        assert served.kubectl("apply -f -", DEPLOYMENT) == "deployment.apps/web unchanged\n"
        three = DEPLOYMENT.replace("replicas: 2", "replicas: 3")
        assert served.kubectl("apply -f -", three) == "deployment.apps/web configured\n"
        assert "successfully rolled out" in served.kubectl("rollout status deployment web --timeout=120s")
        assert served.table("get deployment web")[0][:4] == ["web", "3/3", "3", "3"]
        assert "ScalingReplicaSet" in served.kubectl("describe deployment web")
        served.kubectl("delete deployment web")

    def test_runs_waits_and_deletes_in_less_time_than_it_takes(self, served: Served) -> None:
        assert served.kubectl("run once --image=nginx:1.27") == "pod/once created\n"
        assert "condition met" in served.kubectl("wait --for=condition=Ready pod/once --timeout=120s")
        assert served.table("get pod once -o wide")[0][1:3] == ["1/1", "Running"]
        served.kubectl("delete pod once")
        assert served.kubectl("get pod once", code=1) == 'Error from server (NotFound): pods "once" not found\n'
        served.kubectl("run long --image=busybox:1.36 --restart=Never -- sleep 600")
        assert "condition met" in served.kubectl(
            "wait --for=jsonpath={.status.phase}=Succeeded pod/long --timeout=120s"
        )

    def test_sends_protobuf(self, served: Served) -> None:
        assert served.kubectl("create namespace dev") == "namespace/dev created\n"
        served.kubectl("-n dev create configmap settings --from-literal=colour=blue")
        assert served.kubectl("-n dev get configmap settings -o jsonpath={.data.colour}") == "blue"
        served.kubectl("-n dev create deployment api --image=nginx:1.27 --port=80 --replicas=1")
        served.kubectl("-n dev create quota few --hard=pods=3")

    def test_watches_a_collection_at_the_speed_of_the_clock(self, served: Served) -> None:
        begin = time.monotonic()
        output = served.kubectl("get pods -A -w --request-timeout=1s")
        assert time.monotonic() - begin > 0.8
        assert len(re.findall("NAMESPACE", output)) <= 1

    def test_is_told_what_is_wrong(self, served: Served) -> None:
        wrong = DEPLOYMENT.replace("replicas", "replica")
        assert 'unknown field "spec.replica"' in served.kubectl("apply -f -", wrong, code=1)
        assert "no matches for kind" in served.kubectl("apply -f -", DEPLOYMENT.replace("apps/v1", "v1"), code=1)
        assert "doesn't have a resource type" in served.kubectl("get nothing", code=1)


@needs_kubectl
def test_in_manual_mode_two_servers_show_the_same_bytes(tmp_path: Path) -> None:
    """Names, addresses, ages: a notebook that is run on another day shows what it showed before."""

    def run(folder: Path) -> list[str]:
        folder.mkdir()
        with serving(folder, "--clock", "manual", "--seed", "7") as server:
            shown = [server.kubectl("apply -f -", DEPLOYMENT)]
            shown.append(server.kubectl("rollout status deployment web --timeout=120s"))
            time.sleep(0.5 if folder.name == "a" else 0.0)
            commands = ("get pods -o wide", "get pods -o yaml", "describe deployment web", "events", "get events")
            return [*shown, *(server.kubectl(command) for command in commands)]

    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert second == first


class TestThePythonClient:
    """What a notebook does."""

    @pytest.fixture
    def api(self, served: Served) -> Iterator[Any]:
        config = pytest.importorskip("kubernetes.config")
        with config.new_client_from_config(str(served.kubeconfig)) as api:
            yield api

    def test_creates_watches_and_reads(self, api: Any) -> None:
        from kubernetes import client, watch

        core = client.CoreV1Api(api)
        core.create_namespaced_config_map("default", {"metadata": {"name": "python"}, "data": {"a": "1"}})
        core.patch_namespaced_config_map("python", "default", {"data": {"b": "2"}})
        assert core.read_namespaced_config_map("python", "default").data == {"a": "1", "b": "2"}
        pod = {"metadata": {"name": "python"}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}
        core.create_namespaced_pod("default", pod)
        events = watch.Watch().stream(
            core.list_namespaced_pod, "default", field_selector="metadata.name=python", timeout_seconds=30
        )
        assert any(event["object"].status.phase == "Running" for event in events)
        core.delete_namespaced_pod("python", "default")

    def test_is_told_what_is_not_there(self, api: Any) -> None:
        from kubernetes import client

        with pytest.raises(client.ApiException) as caught:
            client.CoreV1Api(api).read_namespaced_pod("nobody", "default")
        assert (caught.value.status, caught.value.reason) == (404, "Not Found")

    def test_discovers_kinds(self, api: Any) -> None:
        dynamic = pytest.importorskip("kubernetes.dynamic")
        nodes = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="Node")
        assert [node.metadata.name for node in nodes.get().items] == ["control-plane", "worker-1", "worker-2"]

    def test_writes_kinds_that_it_has_discovered(self, api: Any) -> None:
        dynamic = pytest.importorskip("kubernetes.dynamic")
        maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"a": "1"}}
        assert maps.create(body=body, namespace="default").data.a == "1"
        patched = maps.patch(name="dynamic", namespace="default", body={"data": {"b": "2"}},
                             content_type="application/merge-patch+json")  # fmt: skip
        assert patched.data.to_dict() == {"a": "1", "b": "2"}
        applied = maps.server_side_apply({**body, "data": {"c": "3"}}, namespace="default", field_manager="me")
        assert applied.data.c == "3"
        events = [(one["type"], one["object"].metadata.name) for one in maps.watch(
            namespace="default", field_selector="metadata.name=dynamic", timeout=1,
        )]  # fmt: skip
        assert events == [("ADDED", "dynamic")]
        maps.delete(name="dynamic", namespace="default")
        with pytest.raises(dynamic.exceptions.NotFoundError):
            maps.get(name="dynamic", namespace="default")

    def test_runs_commands_and_types_to_them(self, served: Served, api: Any) -> None:
        from kubernetes import client
        from kubernetes.stream import stream

        core = client.CoreV1Api(api)
        container = {"name": "c", "image": "busybox:1.36", "stdin": True, "tty": False}
        core.create_namespaced_pod("default", {"metadata": {"name": "box"}, "spec": {"containers": [container]}})
        served.kubectl("wait --for=condition=Ready pod/box --timeout=120s")
        command = stream(
            core.connect_get_namespaced_pod_exec, "box", "default", command=["sh", "-c", "hostname; exit 3"],
            stdout=True, _preload_content=False,
        )  # fmt: skip
        command.run_forever(timeout=120)
        assert (command.returncode, command.read_all()) == (3, "box\n")
        shell = stream(
            core.connect_get_namespaced_pod_attach, "box", "default", stdin=True, stdout=True, _preload_content=False
        )
        shell.write_stdin("echo hello\n")
        assert shell.readline_stdout(timeout=120) == "hello"
        for one in (command, shell):
            one.sock.shutdown()
        assert core.read_namespaced_pod_log("box", "default") == "hello\n"
        core.delete_namespaced_pod("box", "default", grace_period_seconds=0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_in_order(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "none.yaml").touch()
    with serving(tmp_path, "--nodes", str(tmp_path / "none.yaml")) as server:
        server.process.send_signal(number)
        assert server.process.wait(timeout=PATIENCE) == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--without", "kube-nothing"], "no component is called 'kube-nothing'"),
        (["--nodes", "missing.yaml"], "missing.yaml"),
        (["--port", "taken"], "address already in use"),
    ],
)
def test_options_that_cannot_be_followed_are_said(
    tmp_path: Path, options: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        given = [taken if option == "taken" else option for option in options]
        assert main(["cluster", "serve", "--kubeconfig", str(tmp_path / "config"), *given]) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["cluster", "serve"], "--kubeconfig"),
        (["cluster", "serve", "--kubeconfig", "x", "--port", "70000"], "70000"),
        (["cluster", "serve", "--kubeconfig", "x", "--clock", "none"], "none"),
        (["nothing"], "nothing"),
    ],
)
def test_a_wrong_command_line_is_said(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert text in capsys.readouterr().err


def test_a_file_of_nodes(tmp_path: Path) -> None:
    nodes = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in ("a", "b", "c")]
    path = tmp_path / "nodes.yaml"
    path.write_text(yaml.safe_dump_all([nodes[0], {"apiVersion": "v1", "kind": "List", "items": nodes[1:]}]))
    assert read_nodes(path) == nodes
    path.write_text("")
    assert read_nodes(path) == []


@pytest.mark.parametrize("text", ["kind: Pod", "just text", "[1, 2]", "a: [", "kind: Node", "&a [*a]"])
def test_a_file_of_something_else_than_nodes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nodes.yaml"
    path.write_text(text)
    with pytest.raises(UnusableOptionError, match=r"nodes\.yaml"):
        read_nodes(path)


def test_the_command_line_starts_without_what_it_does_not_need() -> None:
    code = "import sys, autograder.cli as cli; cli.parser(); print('aiohttp' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
