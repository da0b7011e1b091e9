"""All of a cluster for one answer: by its real names, and afterwards as if nobody had been there."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from autograder.clusters import Capability, ClusterError, NotSupportedHere, Object
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.owned import OwnedCluster, OwnedConnection
from autograder.clusters.pristine import Pristine
from autograder.clusters.turns import Turns
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS

SETTINGS: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
SHOP: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
PRIORITY = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "urgent"}, "value": 7}
LABELS = {"app": "web"}
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
    "spec": {
        "replicas": 2, "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
        },
    },
}  # fmt: skip


def names(cluster: OwnedCluster, kind: str) -> set[str]:
    return {obj["metadata"]["name"] for obj in cluster.list(kind, "")}


def test_names_are_the_real_ones(root: OwnedCluster) -> None:
    place = root.whole()
    place.create(SHOP)
    place.create(SETTINGS, "shop")
    assert {"default", "shop", "kube-system"} <= names(place, "Namespace")
    assert place.get("ConfigMap", "settings", "shop")["metadata"]["namespace"] == "shop"
    assert any(pod["metadata"]["namespace"] == "kube-system" for pod in place.list("Pod", ""))
    place.close()


def test_what_is_new_goes_with_all_that_came_of_it(root: OwnedCluster) -> None:
    place = root.whole()
    before = {kind: names(place, kind) for kind in ("Namespace", "ConfigMap", "Pod", "ReplicaSet", "PriorityClass")}
    place.create(SHOP)
    place.create(DEPLOYMENT, "shop")
    place.create(DEPLOYMENT)
    place.create(SETTINGS)
    place.create(PRIORITY)
    assert place.wait_until(lambda: len(place.list("Pod", labels="app=web")) == 2, 30)
    place.close()
    again = root.whole()
    assert {kind: names(again, kind) for kind in before} == before
    again.close()


def test_what_was_changed_is_changed_back_and_what_was_deleted_is_made_again(root: OwnedCluster) -> None:
    place = root.whole()
    place.patch("Node", "worker-1", {"metadata": {"labels": {"disk": "ssd"}}, "spec": {"unschedulable": True}})
    place.patch("Node", "control-plane", {"spec": {"taints": None}})
    corefile = place.get("ConfigMap", "coredns", "kube-system")["data"]
    place.delete("ConfigMap", "coredns", "kube-system")
    selector = {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}
    place.patch("DaemonSet", "kube-proxy", selector, "kube-system")
    place.close()
    again = root.whole()
    node = again.get("Node", "worker-1")
    assert "disk" not in node["metadata"]["labels"]
    assert not node["spec"].get("unschedulable")
    assert again.get("Node", "control-plane")["spec"]["taints"]
    assert again.get("ConfigMap", "coredns", "kube-system")["data"] == corefile
    template = again.get("DaemonSet", "kube-proxy", "kube-system")["spec"]["template"]["spec"]
    assert "disk" not in template.get("nodeSelector", {})
    assert sum(name.startswith("kube-proxy-") for name in names(again, "Pod")) == 3
    again.close()


def test_a_finalizer_that_nobody_serves_holds_nothing_up(root: OwnedCluster) -> None:
    place = root.whole()
    place.create({**SETTINGS, "metadata": {"name": "held", "finalizers": ["example.com/never"]}})
    place.delete("ConfigMap", "held")
    place.close()
    with pytest.raises(NotFound):
        root.whole().get("ConfigMap", "held")


def test_what_another_judgement_has_made_is_left_alone(root: OwnedCluster) -> None:
    other = root.apart()
    other.create(SETTINGS)
    place = root.whole()
    assert "settings" not in names(place, "ConfigMap")
    place.close()
    assert other.get("ConfigMap", "settings")


def test_a_cluster_that_cannot_be_put_back_says_what_is_in_the_way(root: OwnedCluster, config: Path) -> None:
    pristine = Pristine(OwnedConnection(config))
    place = root.whole()
    place.create(SETTINGS)
    with pytest.raises(ClusterError, match="ConfigMap settings in default"):
        pristine.restore(seconds=-1)
    pristine.restore()
    place.close()


def test_somebody_elses_cluster_is_not_given_away_as_a_whole(config: Path) -> None:
    cluster = KubeconfigCluster.open(config, pace=QUICK)
    with pytest.raises(NotSupportedHere, match="cannot be confined") as refused:
        cluster.whole()
    assert refused.value.capability is Capability.COMMANDS
    cluster.close()


def test_a_run_that_was_cut_off_is_made_good_by_the_next(config: Path, tmp_path: Path) -> None:
    connection = OwnedConnection(config)
    turns = Turns(tmp_path / "cluster.whole")
    turns.begin(connection)
    assert stat.S_IMODE((tmp_path / "cluster.whole").stat().st_mode) == 0o600
    connection.send("POST", CONFIGMAPS, "default", body=SETTINGS)
    turns.end(restored=False)  # as when the process is gone: the lock is free, the file is there
    later = Turns(tmp_path / "cluster.whole")
    later.begin(connection)
    with pytest.raises(NotFound):
        connection.send("GET", CONFIGMAPS, "default", "settings")
    later.end(restored=True)


def test_one_answer_at_a_time_has_the_whole_cluster(config: Path, tmp_path: Path) -> None:
    connection = OwnedConnection(config)
    first, second = Turns(tmp_path / "cluster.whole"), Turns(tmp_path / "cluster.whole", patience=0)
    first.begin(connection)
    with pytest.raises(ClusterError, match="another run"):
        second.begin(connection)
    first.end(restored=True)
    second.begin(connection)
    second.end(restored=True)
    assert not (tmp_path / "cluster.whole").exists()


def test_what_is_known_of_a_cluster_that_is_gone_is_of_no_use(config: Path, tmp_path: Path) -> None:
    connection = OwnedConnection(config)
    kept = tmp_path / "cluster.whole"
    other = {**SHOP, "metadata": {"name": "kube-system", "uid": "another"}}
    kept.write_text(json.dumps([other]))
    turns = Turns(kept)
    turns.begin(connection)
    turns.end(restored=True)
    assert connection.send("GET", CONFIGMAPS, "kube-system", "coredns")
