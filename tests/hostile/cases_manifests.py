"""Manifests that are meant to break what reads them, or the cluster that gets them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from case import Case, holding
from hostile_course import ANSWERS, POD, SETTINGS, notebook

from autograder.checks import Status

RIGHT = ANSWERS[SETTINGS]
RED = RIGHT.replace("blue", "red")
WRONG = RED.replace("'3'", "'4'")
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
UNREADABLE, GRADED, NOT_JUDGED = Status.UNREADABLE, Status.GRADED, Status.COULD_NOT_BE_JUDGED

#: YAML in the place of a ConfigMap.
MANIFESTS: dict[str, tuple[str, Status, str]] = {
    "yaml-billion-laughs": (RIGHT + LAUGHS, UNREADABLE, ""),
    "yaml-quadratic-laughs": ("a: &a " + "x" * 500 + "\nb: [" + "*a," * 250_000 + "]\n", UNREADABLE, ""),
    "yaml-anchor-to-itself": ("a: &a [*a]\n" + RIGHT, UNREADABLE, ""),
    "yaml-merge-to-itself": ("a: &a {<<: *a}\n" + RIGHT, UNREADABLE, ""),
    "yaml-python-object": (RIGHT + "x: !!python/object/apply:os.system ['touch pwned']\n", UNREADABLE, ""),
    "yaml-python-name": (RIGHT + "x: !!python/name:os.system\n", UNREADABLE, ""),
    "yaml-own-tag": ("!include /etc/passwd\n", UNREADABLE, ""),
    "yaml-duplicate-keys": (RIGHT + "kind: Secret\n", UNREADABLE, "twice"),
    "yaml-10000-documents": ("---\nkind: ConfigMap\n" * 10_000, UNREADABLE, ""),
    "yaml-dashes": ("---\n" * 200_000, Status.NOT_SUBMITTED, "no answer"),
    "yaml-60-objects": ("---\n".join([RIGHT] * 60), NOT_JUDGED, "60 objects"),
    "yaml-long-line": (RIGHT + "  x: " + "y" * 1_100_000 + "\n", UNREADABLE, "1,048,576"),
    "yaml-long-key": (RIGHT.replace("colour", "c" * 1_000_000), UNREADABLE, ""),
    "yaml-deep-flow": (RIGHT + "x: " + "[" * 5000 + "]" * 5000 + "\n", UNREADABLE, ""),
    "yaml-deep-block": ("".join(" " * n + "a:\n" for n in range(1200)), UNREADABLE, ""),
    "yaml-open-brackets": ("{" * 100_000, UNREADABLE, ""),
    "yaml-nul": (RIGHT + "  x: 'a\0b'\n", UNREADABLE, "NUL"),
    "yaml-control": (RIGHT + "  x: 'a\x07\x1b[2Jb'\n", UNREADABLE, ""),
    "yaml-tabs": ("metadata:\n\tname: settings\n", UNREADABLE, "tab"),
    "yaml-number-keys": (RIGHT + "7: x\n", GRADED, "unknown field"),
    "yaml-map-keys": (RIGHT + "? {a: b}\n: x\n", UNREADABLE, ""),
    "yaml-null-key": (RIGHT + "~: x\n", UNREADABLE, ""),
    "yaml-dates": (RED.replace("'3'", "2026-03-01"), GRADED, ""),
    "yaml-huge-int": (RED.replace("'3'", "9" * 5000), GRADED, ""),
    "yaml-infinite": (RIGHT.replace("blue", ".inf").replace("'3'", ".nan"), UNREADABLE, "no number"),
    "yaml-name-path": (RIGHT.replace("name: settings", "name: ../../../etc/passwd"), GRADED, ""),
    "yaml-name-long": (RIGHT.replace("name: settings", "name: " + "x" * 5000), GRADED, ""),
    "yaml-other-namespace": (RIGHT.replace("  name:", "  namespace: kube-system\n  name:"), GRADED, "kube-system"),
    "yaml-cluster-role": (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: x}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n",
        GRADED, "belongs to the whole cluster",
    ),
    "yaml-node": ("apiVersion: v1\nkind: Node\nmetadata: {name: mine}\n", GRADED, "belongs to the whole cluster"),
    "yaml-kind-look-alike": (RIGHT.replace("C", "\u0421"), GRADED, ""),
    "yaml-name-look-alike": (RIGHT.replace("name: settings", "name: s\u0435ttings"), GRADED, ""),
    "yaml-name-full-width": (RIGHT.replace("name: settings", "name: \uff53ettings"), GRADED, ""),
    "yaml-values-look-alike": (RIGHT.replace("blue", "blu\u0435").replace("'3'", "'\u0663'"), GRADED, "not what the"),
    "yaml-values-hidden": (RIGHT.replace("blue", '"blue\\u200b"').replace("'3'", '"3\\u200b"'), GRADED, "not what the"),
    "yaml-merged-over": (RIGHT.replace("kind: ConfigMap", "<<: {kind: Secret}"), GRADED, "Secret"),
    "yaml-both-then-wrong": (RIGHT + "---\n" + WRONG, GRADED, "red"),
    "yaml-items-in-lists": ("kind: List\nitems:\n" + "- {kind: List, items: [\n" * 300, UNREADABLE, ""),
    "yaml-generated-name": (RIGHT.replace("name: settings", "generateName: settings"), GRADED, ""),
    "yaml-tag-of-go": (RIGHT + "x: !!go/func os.Exit\n", UNREADABLE, ""),
    "yaml-tag-directive": ("%TAG ! tag:yaml.org,2002:python/\n--- !object/apply:os.system [x]\n", UNREADABLE, ""),
    "yaml-version-directive": ("%YAML 9.9\n---\n" + WRONG, UNREADABLE, ""),
    "yaml-anchor-of-before": ("a: &a {colour: blue}\n---\n" + RIGHT.split("data")[0] + "data: *a\n", UNREADABLE, ""),
    "yaml-huge-exponent": (RED.replace("'3'", "1e999999999"), GRADED, ""),
    "yaml-json-with-comments": ('{"apiVersion": "v1", /* x */ "kind": "ConfigMap"}', GRADED, ""),
    "yaml-json-twice": ('{"apiVersion": "v1", "kind": "Secret", "kind": "ConfigMap"}', UNREADABLE, "twice"),
    "yaml-owned-by-nobody": (
        RIGHT.replace("  name:", "  ownerReferences: [{apiVersion: v1, kind: Pod, name: x, uid: y}]\n  name:")
        .replace("blue", "x").replace("'3'", "x"), GRADED, "",
    ),
    "yaml-managed-fields": (
        RIGHT.replace("  name:", "  managedFields: [{manager: x, fieldsV1: {'f:data': {'f:colour': [[]]}}}]\n  name:")
        .replace("blue", "x").replace("'3'", "x"), GRADED, "",
    ),
    "yaml-deleted-already": (
        RIGHT.replace("  name:", "  deletionTimestamp: '2020-01-01T00:00:00Z'\n  finalizers: [a/b]\n  name:")
        .replace("blue", "x").replace("'3'", "x"), GRADED, "",
    ),
    "yaml-other-uid": (
        RIGHT.replace("  name:", "  uid: 00000000-0000-0000-0000-000000000000\n  resourceVersion: '1'\n  name:"),
        GRADED, "resourceVersion should not be set",
    ),
    "yaml-unknown-kind": (RIGHT.replace("ConfigMap", "Nothing"), GRADED, "Nothing"),
    "yaml-list-of-lists": ("apiVersion: v1\nkind: List\nitems: [{kind: List, items: []}]\n", UNREADABLE, "empty"),
    "yaml-large-map": (RIGHT + "  x: '" + "y" * 1_045_000 + "'\n", GRADED, ""),
    "yaml-1000-maps": ("".join(f"---\n{RIGHT}  x: '{'y' * 900}'\n" for _ in range(1000)), NOT_JUDGED, "1000 objects"),
}  # fmt: skip


def _pod(script: str) -> str:
    """A Pod that runs a script."""
    return (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec:\n  containers:\n"
        f"  - {{name: x, image: 'busybox:1.36', command: [sh, -c, {json.dumps(script)}]}}\n"
    )


STATUS = (
    "status: {phase: Running, conditions: [{type: Ready, status: 'True'}], "
    "containerStatuses: [{name: worker, ready: true, image: 'busybox:1.36', state: {running: {}}}]}\n"
)


def _wrong_pod(spec: str, status: str) -> str:
    """The Pod that is asked for by its name, with an image that is nowhere, and more of a spec and a status."""
    return (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: worker}\nspec:\n"
        f"{spec}  containers:\n  - {{name: worker, image: none:none, imagePullPolicy: Always}}\n{status}"
    )


_WORKLOAD = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: bomb}}\nspec:\n  replicas: {}\n"
    "  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n"
    "    spec: {{containers: [{{name: x, image: 'nginx:1.27'}}]}}\n"
)
#: Bombs: a Pod is asked for, and these ask for something else, or for too much of it.
BOMBS: dict[str, tuple[str, Status, str]] = {
    "bomb-100000-replicas": (_WORKLOAD.format(100_000), NOT_JUDGED, "100000 Pods"),
    "bomb-2-to-the-31": (_WORKLOAD.format(2**31), NOT_JUDGED, "2147483648 Pods"),
    "bomb-negative": (_WORKLOAD.format(-1), GRADED, ""),
    "bomb-cron": (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {schedule: '* * * * *', jobTemplate: {spec: "
        "{parallelism: 500, template: {spec: {restartPolicy: Never, containers: [{name: x, image: nginx}]}}}}}\n",
        NOT_JUDGED, "500 Pods",
    ),
    "bomb-autoscaler": (
        _WORKLOAD.format(1) + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\n"
        "spec: {minReplicas: 100000, maxReplicas: 200000, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, "
        "name: bomb}}\n",
        NOT_JUDGED, "100001 Pods",
    ),
    "shell-true-forever": (_pod("while true; do true; done"), GRADED, ""),
    "shell-output-forever": (_pod("while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), GRADED, ""),
    "shell-yes": (_pod("yes"), GRADED, ""),
    "shell-fork-bomb": (_pod(":(){ :|:& };:"), GRADED, ""),
    "shell-recursion": (_pod("f() { f; }; f"), GRADED, ""),
    "shell-growing-text": (_pod("x=xxxxxxxxxxxxxxxx; while true; do x=$x$x; done"), GRADED, ""),
    "shell-large-text": (_pod("dd if=/dev/zero of=/tmp/x bs=1G count=100; printf '%1000000000d' 1"), GRADED, ""),
    "shell-sleeps": (_pod("while true; do sleep 0.000001; done"), GRADED, ""),
    "shell-sleep-chain": (_pod("sleep 1; " * 5000), GRADED, ""),
    "shell-long-sleep": (_pod("sleep 999999999999999999999999"), GRADED, ""),
    "shell-read-the-host": (_pod("cat /etc/passwd /proc/self/environ ../../../../etc/shadow"), GRADED, ""),
    "shell-exec-python": (_pod("python3 -c 'import os; os.system(\"touch pwned\")'"), GRADED, ""),
    "shell-regex": (_pod("echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! | grep -E '(a+)+$'"), GRADED, ""),
    "shell-arithmetic": (_pod("echo $((9**9**9**9)) $((1/0)) $((1<<999999999))"), GRADED, ""),
    "shell-braces": (_pod("seq 1 1000000000; echo {1..1000000000}"), GRADED, ""),
    "shell-deep": (_pod("(" * 5000 + "true" + ")" * 5000), GRADED, ""),
    "pod-says-that-it-runs": (_wrong_pod("", STATUS), GRADED, ""),
    "pod-on-no-node": (_wrong_pod("  nodeName: nowhere\n", STATUS), GRADED, ""),
    "pod-of-another-scheduler": (_wrong_pod("  schedulerName: mine\n", STATUS), GRADED, ""),
    "pod-mirror": (
        _wrong_pod("  nodeName: worker-1\n", STATUS).replace(
            "{name: worker}",
            "{name: worker, annotations: {kubernetes.io/config.mirror: x, kubernetes.io/config.source: file}}",
        ),
        GRADED, "",
    ),
    "pod-owned": (
        _wrong_pod("", STATUS).replace(
            "{name: worker}", "{name: worker, ownerReferences: [{apiVersion: v1, kind: Node, name: worker-1, uid: x}]}"
        ),
        GRADED, "",
    ),
    "pod-deleted-already": (
        _wrong_pod("", STATUS).replace(
            "{name: worker}", "{name: worker, deletionTimestamp: '2020-01-01T00:00:00Z', finalizers: [a/b]}"
        ),
        GRADED, "",
    ),
    "pod-gates": (_wrong_pod("  schedulingGates: [{name: never}]\n", STATUS), GRADED, ""),
    "pod-binding": (
        f"{_wrong_pod('', '')}---\napiVersion: v1\nkind: Binding\nmetadata: {{name: worker}}\n"
        "target: {kind: Node, name: control-plane}\n",
        GRADED, "",
    ),
    "pod-events": (
        f"{_wrong_pod('', '')}---\napiVersion: v1\nkind: Event\nmetadata: {{name: started}}\n"
        "involvedObject: {kind: Pod, name: worker}\nreason: Started\ntype: Normal\nmessage: '<b>Running</b>'\n",
        GRADED, "",
    ),
    "pod-quota-for-all": (
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {pods: 0}}\n---\n"
        + _wrong_pod("", STATUS),
        GRADED, "",
    ),
    "pod-message-of-markup": (
        _wrong_pod("", "").replace("none:none", "'<script>alert(1)</script>'"), GRADED, "",
    ),
    "pod-host-path": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec:\n  hostNetwork: true\n  hostPID: true\n"
        "  volumes: [{name: x, hostPath: {path: /}}]\n  containers:\n  - {name: x, image: 'busybox:1.36', "
        "command: [cat, /x/etc/passwd], volumeMounts: [{name: x, mountPath: /x}], "
        "securityContext: {privileged: true}}\n",
        GRADED, "",
    ),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """The cases of this file."""
    for name, (text, status, said) in MANIFESTS.items():
        yield Case(name, holding(notebook(settings=text)), status, said, SETTINGS)
    for name, (text, status, said) in BOMBS.items():
        yield Case(name, holding(notebook(worker=text)), status, said, POD)
