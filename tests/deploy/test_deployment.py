"""The files of ``deploy/`` can be read by what reads them, and users of one host cannot reach each other's clusters."""

from __future__ import annotations

import base64
import configparser
import os
import shutil
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

#: Values that the chart of Zero to JupyterHub knows (its values.schema.yaml), as far as they are used here.
CHART: dict[str, Any] = {
    "hub": {"config": {}, "services": {}, "extraConfig": {}},
    "singleuser": {
        "image": {"name": None, "tag": None},
        "defaultUrl": None,
        "memory": {"guarantee": None, "limit": None},
        "cpu": {"guarantee": None, "limit": None},
        "storage": {"capacity": None},
        "extraEnv": {},
        "allowPrivilegeEscalation": None,
        "cloudMetadata": {"blockWithIptables": None},
        "networkPolicy": {"enabled": None, "egress": None},
    },
    "cull": {"enabled": None, "timeout": None, "every": None},
}


def unknown(values: dict[str, Any], known: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of values that the chart does not know; below an empty map everything may stand."""
    for name, value in values.items():
        if known and name not in known:
            yield f"{path}{name}"
        elif known and isinstance(value, dict):
            yield from unknown(value, known[name] or {}, f"{path}{name}.")


def test_the_values_are_those_of_the_chart() -> None:
    values = yaml.safe_load((DEPLOY / "jupyterhub" / "values.yaml").read_text())
    assert list(unknown(values, CHART)) == []
    for name, source in values["hub"]["extraConfig"].items():
        compile(source, name, "exec")


@pytest.mark.parametrize(("admin", "mounted"), [(True, ["home", "course"]), (False, ["home"])])
def test_only_instructors_servers_mount_the_course(admin: bool, mounted: list[str]) -> None:
    """Each time that a server starts; KubeSpawner hands over an object with lists in it."""
    values = yaml.safe_load((DEPLOY / "jupyterhub" / "values.yaml").read_text())
    config = SimpleNamespace(KubeSpawner=SimpleNamespace())
    for source in values["hub"]["extraConfig"].values():
        exec(source, {"c": config})
    for _ in range(2):
        container = SimpleNamespace(volume_mounts=[{"name": "home"}])
        pod = SimpleNamespace(spec=SimpleNamespace(containers=[container], volumes=[{"name": "home"}]))
        changed = config.KubeSpawner.modify_pod_hook(SimpleNamespace(user=SimpleNamespace(admin=admin)), pod)
        assert [volume["name"] for volume in changed.spec.volumes] == mounted
        assert [mount["name"] for mount in changed.spec.containers[0].volume_mounts] == mounted


def test_nobody_logs_in_with_a_password_for_everybody() -> None:
    config = yaml.safe_load((DEPLOY / "jupyterhub" / "values.yaml").read_text())["hub"]["config"]
    assert config["JupyterHub"]["authenticator_class"] not in ("dummy", "shared-password", "tmp")


def test_servers_reach_ngshare() -> None:
    """The chart's policy closes the addresses of the cluster to them; ngshare's Pods carry this label."""
    values = yaml.safe_load((DEPLOY / "jupyterhub" / "values.yaml").read_text())
    (rule,) = values["singleuser"]["networkPolicy"]["egress"]
    policy = next(yaml.safe_load_all((DEPLOY / "jupyterhub" / "course.yaml").read_text().partition("---\n")[2]))
    assert rule["to"] == [{"podSelector": policy["spec"]["podSelector"]}]
    assert rule["ports"] == policy["spec"]["ingress"][0]["ports"]
    assert values["hub"]["services"]["ngshare"]["url"].endswith(f":{rule['ports'][0]['port']}")


def test_the_manifests_are_valid() -> None:
    from autograder.manifests import check_schema, parse

    manifest = parse((DEPLOY / "jupyterhub" / "course.yaml").read_text(), source="course.yaml")
    assert not manifest.problems
    assert [document.kind for document in manifest.documents] == ["PersistentVolumeClaim", "NetworkPolicy"]
    assert [problem for document in manifest.documents for problem in check_schema(document)] == []


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.py")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_configurations_are_python(path: Path) -> None:
    compile(path.read_text(), str(path), "exec")


def test_the_unit_can_be_read() -> None:
    unit = configparser.ConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "shared-host" / "jupyterhub.service")
    assert unit["Service"]["UMask"] == "0077"
    assert "jupyterhub_config.py" in unit["Service"]["ExecStart"]


def test_the_script_is_one_of_a_shell() -> None:
    shell = shutil.which("sh")
    if shell is None:
        pytest.skip("there is no sh")
    subprocess.run([shell, "-n", str(DEPLOY / "shared-host" / "setup.sh")], check=True)


def test_what_is_copied_into_the_image_is_there() -> None:
    for line in (DEPLOY / "jupyterhub" / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


def test_exercises_without_solutions_can_be_used(tmp_path: Path) -> None:
    """As the image and the host have them."""
    from autograder.exercises import exercise_ids, load

    shutil.copytree(ROOT / "course" / "exercises", tmp_path / "exercises")
    for path in [*tmp_path.rglob("accepted"), *tmp_path.rglob("mutants")]:
        shutil.rmtree(path)
    for path in tmp_path.rglob("solution.*"):
        os.truncate(path, 0)
    for exercise in exercise_ids(tmp_path / "exercises"):
        assert load(exercise, tmp_path / "exercises").task


class Served:
    """A cluster of one user of the host."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "autograder", "cluster", "serve", "--kubeconfig", str(self.kubeconfig)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"
        document = yaml.safe_load(self.kubeconfig.read_text())
        self.server = document["clusters"][0]["cluster"]["server"]
        self.token = document["users"][0]["user"]["token"]
        authority = base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        self.trust = ssl.create_default_context(cadata=authority)

    def get(self, path: str, token: str = "") -> int:
        """The code of an answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.server + path, headers=headers), context=self.trust
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate()


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    both = (Served(tmp_path_factory.mktemp("ada")), Served(tmp_path_factory.mktemp("ken")))
    yield both
    for one in both:
        one.end()


@pytest.mark.parametrize("path", ["/api/v1/secrets", "/api/v1/namespaces/default/pods", "/apis/apps/v1/deployments"])
def test_the_cluster_of_a_neighbour_is_closed(neighbours: tuple[Served, Served], path: str) -> None:
    ada, ken = neighbours
    assert ada.get(path, ada.token) == 200
    assert ada.get(path) == 403
    assert ada.get(path, ken.token) == 401
    assert ada.get(path, ada.token[:-1]) == 401
    assert ada.get("/autograder/v1/status", ken.token) in (401, 403)
    assert ada.get("/version") == 200


def test_without_tls_there_is_no_answer(neighbours: tuple[Served, Served]) -> None:
    ada, _ = neighbours
    with pytest.raises(OSError):
        urllib.request.urlopen(ada.server.replace("https", "http") + "/version").read()


def test_only_the_owner_reads_the_kubeconfig(neighbours: tuple[Served, Served]) -> None:
    ada, _ = neighbours
    assert stat.S_IMODE(ada.kubeconfig.stat().st_mode) == 0o600
    assert "127.0.0.1" in ada.server
