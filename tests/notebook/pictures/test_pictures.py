"""Each picture says in words what it shows, and is SVG that a page can hold."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from autograder.notebook.pictures import Picture, cluster, etcd, quota, rollout, scheduler, service, trace
from autograder.notebook.pictures.svg import Drawing, cut

SVG = "{http://www.w3.org/2000/svg}"


def pod(
    name: str, node: str = "", namespace: str = "default", owner: dict[str, Any] | None = None, **status: Any
) -> Any:
    """A Pod as the API gives it."""
    meta = {"name": name, "namespace": namespace, "ownerReferences": [{**owner, "controller": True}] if owner else []}
    return {"metadata": meta, "spec": {"nodeName": node}, "status": {"phase": "Running", **status}}


NODE = {"metadata": {"name": "worker-1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
REPLICASET = {
    "metadata": {
        "uid": "1", "name": "web-abc", "annotations": {"deployment.kubernetes.io/revision": "2"},
        "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "0", "controller": True}],
    },
    "spec": {"template": {"spec": {"containers": [{"image": "nginx:1.27"}]}}},
}  # fmt: skip
DEPLOYMENT = {"metadata": {"name": "web", "uid": "0"}}
OWNED = pod("web-abc-x", "worker-1", owner={"kind": "ReplicaSet", "name": "web-abc", "uid": "1"})
SERVICE = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "type": "NodePort", "clusterIP": "10.96.0.7", "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}],
    },
}  # fmt: skip
RULES = """\
-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-A
-A KUBE-SERVICES -d 10.96.0.8/32 -p tcp -m comment --comment "default/website cluster IP" -j KUBE-SVC-B
-A KUBE-SVC-A -m comment --comment "x" -m statistic --mode random --probability 0.33333 -j KUBE-SEP-1
-A KUBE-SVC-A -m comment --comment "x" -m statistic --mode random --probability 0.50000 -j KUBE-SEP-2
-A KUBE-SVC-A -m comment --comment "x" -j KUBE-SEP-3
-A KUBE-SVC-B -m comment --comment "x" -j KUBE-SEP-1
-A KUBE-SEP-1 -p tcp -m tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-2 -p tcp -m tcp -j DNAT --to-destination 10.244.1.3:8080
-A KUBE-SEP-3 -p tcp -m tcp -j DNAT --to-destination 10.244.1.4:8080
"""
SLICE = {
    "ports": [{"port": 8080}],
    "endpoints": [
        {
            "addresses": ["10.244.1.2"],
            "nodeName": "worker-1",
            "targetRef": {"name": "a"},
            "conditions": {"ready": True},
        },
        {
            "addresses": ["10.244.1.9"],
            "nodeName": "worker-1",
            "targetRef": {"name": "z"},
            "conditions": {"ready": False},
        },
    ],
}


def write(revision: int, user: str, verb: str = "updated", **more: Any) -> dict[str, Any]:
    """A write as the cluster's control tells it."""
    fields = {"key": f"/registry/pods/default/{revision}", "time": "2026-01-01T09:00:00Z", "changes": ["a: 1 -> 2"]}
    return {"revision": revision, "user": user, "verb": verb, **fields, **more}


def counted(time: str, pods: int, ready: int) -> dict[str, Any]:
    """A write of the ReplicaSet's numbers."""
    value = {**REPLICASET, "status": {"replicas": pods, "readyReplicas": ready}}
    return write(1, "system", time=f"2026-01-01T{time}Z", value=value)


def score(plugin: str, normalized: int, weight: int) -> dict[str, Any]:
    """What a plugin gave a node."""
    return {"plugin": plugin, "raw": 7, "normalized": normalized, "weight": weight}


def row(node: str, *scores: dict[str, Any], filtered_by: str = "", looked_at: bool = True) -> dict[str, Any]:
    """A node in a scheduler's decision."""
    reasons = ["too small"] if filtered_by else []
    return {
        "node": node,
        "looked_at": looked_at,
        "filtered_by": filtered_by,
        "reasons": reasons,
        "scores": list(scores),
    }


DECISION = {
    "pod": "default/web", "node": "b", "message": "", "tied": ["b", "c"],
    "nodes": [row("a", filtered_by="Fit"), row("b", score("Spread", 50, 2)), row("c", score("Spread", 50, 2)),
              row("d", looked_at=False)],
}  # fmt: skip
COST = {
    "reads": 3, "objects_read": 1, "writes": 1, "fields_set": 1, "bytes_received": 9, "bytes_stored": 99,
    "bytes_answered": 99,
}  # fmt: skip
TRACED = {
    "method": "POST", "path": "/api/v1/namespaces/default/pods", "code": 403, "cost": COST,
    "steps": [{"name": "defaulting", "outcome": "passed", "changed": ["spec.dnsPolicy"]},
              {"name": "admission", "outcome": "refused: <no>", "changed": []}],
}  # fmt: skip
HARD = {"pods": "4", "requests.cpu": "1", "services": "0"}
QUOTA = {
    "metadata": {"name": "q", "namespace": "dev"},
    "status": {"hard": HARD, "used": {"pods": "1", "requests.cpu": "900m", "services": "0"}},
}

PICTURES = {
    "cluster": cluster.draw([NODE], [OWNED, pod("lone"), pod("etcd", "worker-1", "kube-system")], [REPLICASET]),
    "service": service.draw(SERVICE, [SLICE], "worker-1", RULES),
    "nowhere": service.draw(SERVICE, [], "worker-1", ""),
    "quota": quota.draw(QUOTA),
    "rollout": rollout.draw(
        DEPLOYMENT, [counted("09:00:00", 1, 0), counted("09:00:02", 2, 1), counted("09:00:02", 2, 2)]
    ),
    "scheduler": scheduler.draw(DECISION),
    "etcd": etcd.draw([write(1, "admin"), write(2, "admin"), write(3, "system:node", "deleted")]),
    "trace": trace.draw(TRACED),
}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("cluster", "  web-abc-x  Running  of Deployment web"),
        ("cluster", "  kube-system/etcd  Running  of nobody"),
        ("cluster", "no node yet:"),
        ("service", "port 80 → 8080, node port 30080"),
        ("service", "rule on worker-1: KUBE-SVC-A leads 33% of the connections to 10.244.1.3:8080"),
        ("service", "endpoint 10.244.1.9:8080: z on worker-1, not ready"),
        ("nowhere", "no endpoints: this Service leads nowhere"),
        ("quota", "pods: 1 of 4 (25%)"),
        ("quota", "requests.cpu: 900m of 1 (90%, nearly full)"),
        ("quota", "services: 0 of 0 (100%, full)"),
        ("rollout", "web-abc: nginx:1.27, revision 2"),
        ("rollout", "09:00:00  web-abc: 0 of 1 ready"),
        ("rollout", "09:00:02  web-abc: 2 of 2 ready"),
        ("scheduler", "a: turned down by Fit: too small"),
        ("scheduler", "b: Spread 50 × 2; sum 100, chosen"),
        ("scheduler", "b, c have the same sum: dice decided"),
        ("scheduler", "d: not looked at: enough other nodes fit"),
        ("etcd", "~ 2  /registry/pods/default/2  admin: a: 1 -> 2"),
        ("etcd", "− 3  /registry/pods/default/3  system:node: a: 1 -> 2"),
        ("trace", "defaulting: passed: spec.dnsPolicy"),
        ("trace", "admission: refused: <no>"),
    ],
)
def test_a_picture_says_what_it_shows(name: str, line: str) -> None:
    assert line in PICTURES[name].lines


def test_a_picture_of_etcd_begins_with_the_last_request() -> None:
    assert "/registry/pods/default/1" not in str(PICTURES["etcd"])


def test_a_rollout_keeps_the_last_numbers_of_a_second() -> None:
    assert not [line for line in PICTURES["rollout"].lines if "1 of 2" in line]


def test_rules_of_a_service_with_a_longer_name_are_left_out() -> None:
    assert "KUBE-SVC-B" not in str(PICTURES["service"])


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_picture_is_svg_with_a_text_alternative(picture: Picture) -> None:
    root = ElementTree.fromstring(picture.svg())
    assert (root.tag, root.get("role"), root.get("aria-label")) == (f"{SVG}svg", "img", picture.title)
    assert [root.findtext(f"{SVG}{name}") for name in ("title", "desc")] == [picture.title, "\n".join(picture.lines)]
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == str(picture)
    assert picture.svg() in bundle["text/html"]


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_texts_take_the_colour_of_the_theme(picture: Picture) -> None:
    styles = [text.get("style", "") for text in ElementTree.fromstring(picture.svg()).iter(f"{SVG}text")]
    assert styles
    assert all(re.match(r"fill:var\(--jp-[\w-]+, currentColor\)", style) for style in styles)


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_nothing_reaches_out_of_the_drawing(picture: Picture) -> None:
    root = ElementTree.fromstring(picture.svg())
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for box in root.iter(f"{SVG}rect"):
        x, y, wide, high = (float(box.get(name, -1)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height


def test_what_students_write_cannot_leave_a_text() -> None:
    drawing = Drawing()
    drawing.text(0, 10, "<script>&\"'")
    assert ElementTree.fromstring(drawing.svg('<t>"', "<d>")).findtext(f"{SVG}text") == "<script>&\"'"


@pytest.mark.parametrize(("text", "most", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abcd", 0, "…")])
def test_a_text_that_is_too_long_is_cut(text: str, most: int, shown: str) -> None:
    assert cut(text, most) == shown


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "Running"),
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"containerStatuses": [{"ready": False, "state": {"waiting": {"reason": "Unwell"}}}]}, "Unwell"),
        ({"containerStatuses": [{"ready": False, "state": {"running": {}}}]}, "Running, not ready"),
    ],
)  # fmt: skip
def test_one_word_says_how_a_pod_is(status: dict[str, Any], state: str) -> None:
    assert cluster.pod_state(pod("a", **status)) == state
