"""What a user is told when a kind cluster cannot be had; and that nothing half-made stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from standins import calls, pretender, write
from waiting import comes

from autograder.cli import main
from autograder.clusters import ClusterError, open_cluster
from autograder.clusters.kind import engine, provision
from autograder.clusters.kind.engine import Tools

THREE = "autograder-worker\nautograder-control-plane\nautograder-worker2\n"
READY = {"^get nodes": {"out": THREE}}
WORKERS = ["course-worker", "course-worker2"]
MACHINE = 16, 64 << 30  #: processors, and bytes of memory
SIZE = {r"\.NCPU": {"out": "16 68719476736\n"}}
#: What kind begins with on a machine with cgroup v1.
CGROUP_V1 = (
    "cgroup v1 is deprecated in Kubernetes and will not be supported in a future kind release, "
    "please upgrade to cgroup v2\n"
)
#: What crictl says of a node without images.
NONE = {"out": '{"images": []}'}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but a docker and a kind that pretend, and a place of its own for temporary files."""
    folder, temporary = tmp_path / "bin", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    pretender(folder, "docker", SIZE)
    pretender(folder, "kind", READY)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv(engine.PROVIDER, raising=False)
    monkeypatch.delenv(provision.IMAGE_VARIABLE, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return folder


def refusal(spec: str = "kind") -> str:
    with pytest.raises(ClusterError) as caught:
        open_cluster(spec)
    return str(caught.value)


def test_no_engine_is_told_with_how_to_get_one(programs: Path) -> None:
    (programs / "docker").unlink()
    assert "needs docker or podman, which is not on PATH; get it: https://docs.docker.com" in refusal()


def test_no_kind_is_told_with_how_to_get_it(programs: Path) -> None:
    (programs / "kind").unlink()
    assert "needs kind, which is not on PATH; get it: https://kind.sigs.k8s.io" in refusal()


def test_the_engine_that_the_user_has_chosen_is_used(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.PROVIDER, "podman")
    assert "needs podman, which is not on PATH; get it: https://podman.io" in refusal()
    pretender(programs, "podman", {})
    assert Tools.find().engine_name == "podman"
    monkeypatch.setenv(engine.PROVIDER, "lxc")
    assert "'lxc'; write docker or podman" in refusal()


def test_kind_is_told_which_engine_to_use(programs: Path) -> None:
    (programs / "docker").unlink()
    pretender(programs, "podman", {})
    write(programs, "kind", f"import os\nprint(os.environ[{engine.PROVIDER!r}])")
    assert Tools.find().run_kind("version") == "podman\n"


def test_a_program_that_cannot_be_run_is_named(programs: Path) -> None:
    (programs / "docker").write_bytes(b"\x7fELF for another machine")
    assert f"{programs / 'docker'} cannot be run (Exec format error); get it: https://docs.docker.com" in refusal()


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "the engine does not run: start it",
        ),
        (
            "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if "
            "the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
            "the engine does not run: start it",
        ),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
            'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info": dial unix: connect: permission denied',
            "join the group docker",
        ),
        ("Cannot connect to Podman. Please verify your connection", "podman machine start"),
    ],
)
def test_an_engine_that_does_not_answer_is_explained(programs: Path, said: str, advice: str) -> None:
    pretender(programs, "docker", {"^info": {"err": said, "code": 1}})
    message = refusal()
    assert advice in message
    assert said in message
    assert message.startswith("`docker info` failed with code 1")


def test_an_engine_that_hangs_is_given_up(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretender(programs, "docker", {"^info": {"seconds": 30}})
    monkeypatch.setattr(engine, "COMMAND_SECONDS", 0.5)
    assert refusal() == "`docker info` took longer than 0.5 seconds and was stopped"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            f'{CGROUP_V1}ERROR: failed to create cluster: failed to pull image "kindest/node:v1.36.4": command "docker '
            'pull kindest/node:v1.36.4" failed with error: exit status 1',
            "reaches its registry",
        ),
        ("Bind for 127.0.0.1:30080 failed: port is already allocated", "stop what uses it"),
        ("listen tcp4 127.0.0.1:30080: bind: address already in use", "stop what uses it"),
        ("write /var/lib/docker: no space left on device", "make room"),
        ("fork/exec /usr/bin/kubeadm: cannot allocate memory", "three nodes take about 4 GiB"),
        ("container autograder-worker was OOMKilled", "three nodes take about 4 GiB"),
        ("Failed to create inotify object: Too many open files", "fs.inotify.max_user_instances"),
        (f"{CGROUP_V1}ERROR: failed to init node with kubeadm: timed out waiting for the condition", "cgroup v2"),
        ("error: timed out waiting for the condition", "too slow, or busy"),
        ("something nobody has seen before", "something nobody has seen before"),
    ],
)
def test_a_creation_that_fails_is_explained_and_undone(programs: Path, said: str, advice: str) -> None:
    halfway = f" Preparing nodes\n Writing configuration\n{said}\n"
    pretender(programs, "kind", {"^create": {"err": halfway, "code": 1}, **READY})
    message = refusal()
    assert message.startswith("`kind create cluster --name autograder")
    assert advice in message
    assert calls(programs, "kind")[-1] == "delete cluster --name autograder"
    assert list((programs.parent / "tmp").iterdir()) == []


def test_a_creation_that_is_killed_is_explained_and_undone(programs: Path) -> None:
    write(programs, "kind", "import os, sys\nif sys.argv[1] == 'create': os.kill(os.getpid(), 9)")
    message = refusal()
    assert "was killed by signal 9 (it was killed, perhaps for want of memory)" in message
    assert list((programs.parent / "tmp").iterdir()) == []


def test_a_creation_that_takes_too_long_is_stopped_and_undone(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretender(programs, "kind", {"^create": {"seconds": 600}, **READY})
    monkeypatch.setattr(provision, "CREATE_SECONDS", 0.5)
    assert "took longer than 0.5 seconds and was stopped" in refusal()
    assert calls(programs, "kind")[-1] == "delete cluster --name autograder"


def test_the_first_failure_is_told_even_if_the_undoing_fails_too(programs: Path) -> None:
    pretender(programs, "kind", {"^create": {"err": "first", "code": 1}, "^delete": {"err": "second", "code": 1}})
    message = refusal()
    assert "first" in message
    assert "second" not in message


def test_what_a_killed_run_has_half_made_is_deleted_before_it_is_made_anew(programs: Path) -> None:
    provision._creation("autograder").write_text("begun\n")  # nobody holds it: who did is gone
    provision.ensure(Tools.find(), "autograder")
    asked = calls(programs, "kind")
    assert asked[0] == "delete cluster --name autograder"
    assert any(line.startswith("create cluster --name autograder") for line in asked)
    assert not provision._creation("autograder").exists()


def test_a_run_that_is_killed_while_it_makes_a_cluster_is_cleaned_up_after(programs: Path) -> None:
    pretender(programs, "kind", {"^create": {"until": "told", "once": "slow"}, **READY})
    environment = {**os.environ, "TMPDIR": str(programs.parent / "tmp"), "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [sys.executable, "-c", "from autograder.clusters import open_cluster; open_cluster('kind')"]
    with subprocess.Popen(run, env=environment) as process:
        assert comes(lambda: any(line.startswith("create") for line in calls(programs, "kind")))
        process.kill()
    tools = Tools.find()
    with pytest.raises(ClusterError, match="another run is just creating"):
        provision.ensure(tools, "autograder")  # the program that creates goes on without its run
    (programs / "kind.told").touch()
    assert comes(lambda: is_half_made("autograder"))
    provision.ensure(tools, "autograder")
    asked = [line.split()[0] for line in calls(programs, "kind")]
    assert asked[-4:] == ["delete", "get", "create", "get"]


def is_half_made(name: str) -> bool:
    with contextlib.suppress(ClusterError):  # while somebody makes it
        return provision._half_made(name)
    return False


@pytest.mark.parametrize("listed", ["", "autograder\n"])
def test_a_cluster_that_another_run_is_making_is_not_touched(programs: Path, listed: str) -> None:
    pretender(programs, "kind", {"^get clusters": {"out": listed}, **READY})  # kind lists it when it has containers
    with provision._creating("autograder"):
        assert "another run is just creating the kind cluster autograder" in refusal()
    assert not any(line.startswith(("create", "delete")) for line in calls(programs, "kind"))


def test_a_cluster_that_was_finished_just_now_is_not_taken_for_a_half_made_one(programs: Path) -> None:
    pretender(programs, "kind", {"^get clusters": {"out": "autograder\n"}, **READY})
    provision._creation("autograder").touch()  # made anew by whoever looks whether it is locked
    provision.ensure(Tools.find(), "autograder")
    assert not any(line.startswith(("create", "delete")) for line in calls(programs, "kind"))


def test_a_cluster_that_is_there_is_used_again(programs: Path) -> None:
    pretender(programs, "kind", {"^get clusters": {"out": "other\nautograder\n"}, **READY})
    nodes = provision.ensure(Tools.find(), "autograder")
    assert nodes == ["autograder-control-plane", "autograder-worker", "autograder-worker2"]
    assert not any(line.startswith("create") for line in calls(programs, "kind"))


def test_a_cluster_without_a_control_plane_says_what_to_do(programs: Path) -> None:
    pretender(programs, "kind", {"^get clusters": {"out": "autograder\n"}, "^get nodes": {"out": "x\n"}})
    assert "autograder cluster delete kind:autograder" in refusal()


def test_a_new_cluster_has_two_workers_of_a_pinned_version_and_reachable_node_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provision, "_is_free", lambda port: True)
    config = provision.configuration("course", *MACHINE)
    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert {node["image"] for node in config["nodes"]} == {provision.NODE_IMAGE}
    assert provision.NODE_IMAGE.startswith("kindest/node:v1.36.")
    mapped = {mapping["hostPort"] for mapping in config["nodes"][0]["extraPortMappings"]}
    assert 30080 in mapped


@pytest.mark.parametrize(
    ("processors", "memory", "reserved"),
    [
        (16, 64 << 30, {"cpu": "12", "memory": str((64 << 30) - 8139236 * 1024)}),
        (4, 7 << 30, {}),
        (2, 16 << 30, {"memory": str((16 << 30) - 8139236 * 1024)}),
    ],
)
def test_nodes_are_as_large_as_those_of_the_embedded_cluster_where_the_machine_is(
    processors: int, memory: int, reserved: dict[str, str]
) -> None:
    (kubelet,) = map(yaml.safe_load, provision.configuration("course", processors, memory)["kubeadmConfigPatches"])
    assert kubelet["kind"] == "KubeletConfiguration"
    assert kubelet["systemReserved"] == reserved


def test_podman_says_in_its_own_way_how_large_the_machine_is(programs: Path) -> None:
    (programs / "docker").unlink()
    pretender(programs, "podman", {r"\.Host\.CPUs": {"out": "8 1024\n"}})
    assert Tools.find().machine() == (8, 1024)


def test_a_machine_whose_size_nobody_says_is_told(programs: Path) -> None:
    pretender(programs, "docker", {"format": {"out": "<no value>\n"}})
    assert "does not say how large the machine is" in refusal()


def test_a_second_cluster_leaves_the_node_ports_of_this_machine_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((provision.LOOPBACK, 0)) as taken:
        needs = {"images": [], "nodePorts": [taken.getsockname()[1]]}
        monkeypatch.setattr(provision, "_needs", lambda: needs)
        assert provision.configuration("course", *MACHINE)["nodes"][0]["extraPortMappings"] == []
    assert [
        one["hostPort"] for one in provision.configuration("course", *MACHINE)["nodes"][0]["extraPortMappings"]
    ] == (needs["nodePorts"])


@pytest.mark.parametrize("name", ["Big", "a/b", "-x", "x-", "a b", "x" * 60, "--help"])
def test_names_that_kind_cannot_use_are_refused(programs: Path, name: str) -> None:
    assert f"no kind cluster can be called {name!r}" in refusal(f"kind:{name}")
    assert calls(programs, "kind") == []


def having(*images: str) -> dict[str, object]:
    """What docker says of images that it has itself, and of any other."""
    here = "|".join(re.escape(image) for image in images)
    return {
        "^version": {"out": "linux/amd64\n"},
        f"^image inspect (?!({here})$)": {"code": 1, "err": "Error response from daemon: No such image"},
    }


def test_images_are_brought_once_and_from_this_machine_if_it_has_them(programs: Path) -> None:
    here, there, elsewhere, *_ = provision.images()
    present = json.dumps({"images": [{"repoTags": [there]}]})
    pretender(
        programs, "docker",
        {
            "exec .* crictl images": {"out": present},
            f"crictl pull {elsewhere}": {"err": "no route to registry", "code": 1},
            **having(here),
        },
    )  # fmt: skip
    failed = provision.load_images(Tools.find(), "course", WORKERS)
    assert [one.partition(":")[0] for one in failed] == [elsewhere.partition(":")[0]]
    saved = next(line for line in calls(programs, "docker") if line.startswith("save"))
    assert re.fullmatch(rf"save --platform linux/amd64 -o \S+/image\.tar {re.escape(here)}", saved)
    loaded = next(line for line in calls(programs, "kind") if line.startswith("load"))
    assert re.fullmatch(r"load image-archive \S+/image\.tar --name course --nodes course-worker,course-worker2", loaded)
    assert not any(f"pull {one}" in line for line in calls(programs, "docker") for one in (here, there))
    assert any(line.startswith("exec course-worker2 crictl pull") for line in calls(programs, "docker"))


def test_a_docker_that_cannot_save_one_platform_saves_what_it_has(programs: Path) -> None:
    here, *_ = provision.images()
    old = '"--platform" requires API version 1.48, but the Docker daemon API version is 1.41'
    pretender(programs, "docker", {"^save --platform": {"err": old, "code": 1}, "crictl images": NONE, **having(here)})
    assert provision.load_images(Tools.find(), "course", WORKERS) == []
    assert any(line.startswith("save -o ") for line in calls(programs, "docker"))
    assert not any(f"pull {here}" in line for line in calls(programs, "docker"))


def test_podman_saves_the_only_platform_that_it_has(programs: Path) -> None:
    (programs / "docker").unlink()
    here, *_ = provision.images()
    pretender(programs, "podman", {"crictl images": NONE, **having(here)})
    provision.load_images(Tools.find(), "course", WORKERS)
    assert any(line.startswith("save -o ") for line in calls(programs, "podman"))
    assert any(line.startswith("load image-archive") for line in calls(programs, "kind"))


def test_an_image_that_cannot_be_copied_is_pulled_by_the_nodes(programs: Path) -> None:
    here, *_ = provision.images()
    pretender(programs, "docker", {"crictl images": NONE, **having(here)})
    pretender(programs, "kind", {"^load": {"err": "ctr: content digest sha256:9106: not found", "code": 1}})
    assert provision.load_images(Tools.find(), "course", WORKERS) == []
    for worker in WORKERS:
        assert f"exec {worker} crictl pull {here}" in calls(programs, "docker")


def test_a_cluster_is_deleted_on_request(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pretender(programs, "kind", {"^get clusters": {"out": "course\n"}})
    assert main(["cluster", "delete", "kind:course"]) == 0
    assert capsys.readouterr().out == "the kind cluster course is deleted\n"
    assert calls(programs, "kind")[-1] == "delete cluster --name course"
    assert main(["cluster", "delete", "kind"]) == 0
    assert "there is no kind cluster autograder" in capsys.readouterr().out


def test_nothing_is_kept_of_a_cluster_that_is_deleted(programs: Path) -> None:
    for what in provision.KEPT:
        provision.kept("course", what).touch()
    provision.kept("course.two", "whole").touch()
    assert main(["cluster", "delete", "kind:course"]) == 0
    assert list((programs.parent / "tmp").iterdir()) == [provision.kept("course.two", "whole")]


@pytest.mark.parametrize("spec", ["embedded", "local", "kubeconfig:x", "kind:A B"])
def test_only_kind_clusters_are_deleted(programs: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", "delete", spec]) == 2
    assert "autograder cluster delete: " in capsys.readouterr().err


def test_messages_are_one_sentence_before_the_quotation(programs: Path) -> None:
    pretender(programs, "docker", {"^info": {"err": "line\n" * 50, "code": 3}})
    first, *quoted = refusal().splitlines()
    assert first == "`docker info` failed with code 3; it said last:"
    assert len(quoted) == 6


def test_the_stack_of_a_program_is_not_what_it_said_last(programs: Path) -> None:
    stack = "main.main\n\t/src/cmd/kubeadm/main.go:25\nruntime.main\n\t/usr/go/src/runtime/proc.go:290\n"
    methods = "github.com/spf13/cobra.(*Command).Execute\n\tvendor/cobra/command.go:1041\n"
    pretender(programs, "docker", {"^info": {"err": f"error: the kubelet is not healthy\n{methods}{stack}", "code": 1}})
    assert refusal().splitlines()[1:] == ["    error: the kubelet is not healthy"]


def test_what_a_command_that_fails_has_printed_can_be_had(programs: Path) -> None:
    pretender(programs, "docker", {"grep -c": {"out": "0\n", "err": "nothing\n", "code": 1}})
    with pytest.raises(engine.EngineError) as caught:
        Tools.find().on_node("course-worker", "sh", "-c", "iptables-save | grep -c web")
    assert caught.value.done is not None
    assert (caught.value.done.stdout, caught.value.done.stderr, caught.value.done.returncode) == ("0\n", "nothing\n", 1)
