"""What kubectl sends in protobuf, and users other than the administrator, against a server of its own."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from served import Served, needs_kubectl, serving

pytestmark = needs_kubectl


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests of this module, with a Deployment."""
    with serving(tmp_path_factory.mktemp("users")) as server:
        server.kubectl("create deployment web --image=nginx:1.27 --replicas=1")
        yield server


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("create deployment api --image=nginx:1.27 --replicas=2 --port=80", "deployment.apps/api created"),
        ("create configmap settings --from-literal=a=b", "configmap/settings created"),
        ("create secret generic password --from-literal=p=q", "secret/password created"),
        ("create secret docker-registry pull --docker-server=x --docker-username=u --docker-password=p",
         "secret/pull created"),
        ("create namespace staging", "namespace/staging created"),
        ("create quota few --hard=pods=30", "resourcequota/few created"),
        ("create job once --image=busybox", "job.batch/once created"),
        ("create cronjob hourly --image=busybox --schedule=@hourly", "cronjob.batch/hourly created"),
        ("create service clusterip inner --tcp=80:8080", "service/inner created"),
        ("create service nodeport outer --tcp=80:8080", "service/outer created"),
        ("create service externalname alias --external-name=example.com", "service/alias created"),
        ("create serviceaccount bot", "serviceaccount/bot created"),
        ("create role reader --verb=get --resource=pods,pods/log", "role.rbac.authorization.k8s.io/reader created"),
        ("create rolebinding reading --role=reader --serviceaccount=default:bot",
         "rolebinding.rbac.authorization.k8s.io/reading created"),
        ("create clusterrole looking --verb=get --resource=nodes",
         "clusterrole.rbac.authorization.k8s.io/looking created"),
        ("create clusterrole metrics --verb=get --non-resource-url=/metrics",
         "clusterrole.rbac.authorization.k8s.io/metrics created"),
        ("create clusterrolebinding lookers --clusterrole=looking --group=ops",
         "clusterrolebinding.rbac.authorization.k8s.io/lookers created"),
        ("create pdb some --selector=app=web --min-available=1", "poddisruptionbudget.policy/some created"),
        ("create priorityclass high --value=1000", "priorityclass.scheduling.k8s.io/high created"),
        ("create ingress way --rule=example.com/*=web:80,tls=cert", "ingress.networking.k8s.io/way created"),
        ("autoscale deployment web --min=1 --max=5 --cpu=80%", "horizontalpodautoscaler.autoscaling/web autoscaled"),
    ],
)  # fmt: skip
def test_whatever_kubectl_creates_by_itself_arrives(served: Served, command: str, answer: str) -> None:
    assert served.kubectl(command) == f"{answer}\n"


def test_values_arrive_whole(served: Served) -> None:
    served.kubectl("create deployment whole --image=nginx:1.27 --replicas=3 --port=8080")
    found: Any = json.loads(served.kubectl("get deployment whole -o json"))
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (found["spec"]["replicas"], container["image"]) == (3, "nginx:1.27")
    assert container["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]


def test_fields_of_protobuf_are_validated_as_those_of_json(served: Served) -> None:
    assert "Invalid value" in served.kubectl("create configmap Upper", code=1)
    assert "already exists" in served.kubectl("create namespace default", code=1)


# ---------------------------------------------------------------- users


def test_the_administrator_is_known(served: Served) -> None:
    assert "Username    admin" in served.kubectl("auth whoami")
    assert served.kubectl("auth can-i delete pods") == "yes\n"


def test_acting_as_somebody_else_shows_what_he_may(served: Served) -> None:
    assert served.kubectl("get pods --as jane", code=1) == (
        'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in '
        'the namespace "default"\n'
    )
    served.kubectl("create rolebinding jane --clusterrole=view --user=jane")
    assert "web" in served.kubectl("get pods --as jane")
    assert served.kubectl("auth can-i list pods --as jane") == "yes\n"
    assert served.kubectl("auth can-i list secrets --as jane", code=1) == "no\n"
    listed = served.kubectl("auth can-i --list --as jane")
    assert ["pods", "[]", "[]", "[get", "list", "watch]"] in [line.split() for line in listed.splitlines()]
    assert "Groups      [ops system:authenticated]" in served.kubectl("auth whoami --as jane --as-group ops")


def user(served: Served, folder: Path, **credentials: str) -> str:
    """The option that makes kubectl a user with these credentials."""
    config = yaml.safe_load(served.kubeconfig.read_text())
    config["users"][0]["user"] = credentials
    file = folder / "config"
    file.write_text(yaml.safe_dump(config))
    return f"--kubeconfig={file}"


def test_a_service_account_comes_with_its_token(served: Served, tmp_path: Path) -> None:
    served.kubectl("create serviceaccount worker")
    served.kubectl("create rolebinding worker --clusterrole=edit --serviceaccount=default:worker")
    option = user(served, tmp_path, token=served.kubectl("create token worker").strip())
    assert "system:serviceaccount:default:worker" in served.kubectl(f"auth whoami {option}")
    served.kubectl(f"create configmap own --from-literal=a=b {option}")
    assert "cannot list resource" in served.kubectl(f"get nodes {option}", code=1)


def test_a_wrong_token_is_nobodys(served: Served, tmp_path: Path) -> None:
    option = user(served, tmp_path, token="nonsense")
    assert "You must be logged in to the server (Unauthorized)" in served.kubectl(f"get pods {option}", code=1)


def control(served: Served, name: str, body: Any) -> Any:
    """Ask for what no Kubernetes API has."""
    command = ["create", "--raw", f"/autograder/v1/{name}", "-f", "-"]
    return json.loads(served.kubectl(" ".join(command), json.dumps(body)))


def test_a_user_comes_with_a_certificate(served: Served, tmp_path: Path) -> None:
    made = control(served, "certificate", {"user": "carl", "groups": ["ops"]})
    for name in ("certificate", "key"):
        (tmp_path / name).write_text(made[name])
    files = {"client-certificate": str(tmp_path / "certificate"), "client-key": str(tmp_path / "key")}
    option = user(served, tmp_path, **files)
    assert "Groups" in served.kubectl(f"auth whoami {option}")
    assert 'User "carl" cannot list' in served.kubectl(f"get pods {option}", code=1)
    refused = served.kubectl(f"create --raw /autograder/v1/settle -f - {option}", "{}", code=1)
    assert "only the administrator" in refused


def test_a_stranger_sees_that_the_server_is_there(served: Served) -> None:
    cluster = yaml.safe_load(served.kubeconfig.read_text())["clusters"][0]["cluster"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"{cluster['server']}/readyz", context=context) as answer:
        assert answer.read() == b"ok"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{cluster['server']}/api/v1/pods", context=context)
    assert refused.value.code == 403
    assert 'User \\"system:anonymous\\" cannot list' in refused.value.read().decode()


def test_a_saved_cluster_remembers_who_did_what(served: Served, tmp_path: Path) -> None:
    served.kubectl("create configmap of-jane --as=admin --as-group=system:masters")
    option = user(served, tmp_path, token=served.kubectl("create token default --duration=1h").strip())
    served.kubectl("create rolebinding default --clusterrole=edit --serviceaccount=default:default")
    served.kubectl(f"create configmap of-default {option}")
    journal = tmp_path / "journal"
    journal.write_text(served.kubectl("get --raw /autograder/v1/saved"))
    with serving(tmp_path, "--load", str(journal)) as again:
        names = again.kubectl("get configmaps -o name").split()
    assert {"configmap/of-jane", "configmap/of-default"} <= set(names)
