"""Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs: defaults, rules, and what may change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

Object = dict[str, Any]
Refusals = Callable[[Object], list[str]]
RefusalsOfChange = Callable[[Object, Object], list[str]]
Completed = Callable[[Object], Object]

LABELS = {"app": "web"}
TEMPLATE: Object = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}


def workload(kind: str, **spec: Any) -> Object:
    """An object of a kind of ``apps/v1``; None takes a field away."""
    fields = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE, **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "here"},
        "spec": copy.deepcopy({name: value for name, value in fields.items() if value is not None}),
    }


def job(name: str = "once", **spec: Any) -> Object:
    """A Job whose uid the server has given it."""
    template = {"spec": {"containers": [{"name": "c", "image": "busybox:1"}], "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "here", "uid": "u-1"},
        "spec": {"template": template, **spec},
    }


def cron_job(**spec: Any) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "here"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": job()["spec"]["template"]}}, **spec},
    }


# ---------------------------------------------------------------- defaults


@pytest.mark.parametrize(
    ("kind", "defaults"),
    [
        (
            "Deployment",
            {
                "replicas": 1,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
                "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
            },
        ),
        ("ReplicaSet", {"replicas": 1}),
        (
            "DaemonSet",
            {
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
                "revisionHistoryLimit": 10,
            },
        ),
        (
            "StatefulSet",
            {
                "replicas": 1,
                "serviceName": "",
                "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
                "revisionHistoryLimit": 10,
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            },
        ),
    ],
)
def test_the_defaults_of_what_keeps_pods_running(completed: Completed, kind: str, defaults: Object) -> None:
    spec = completed(workload(kind))["spec"]
    assert {name: spec[name] for name in spec if name not in ("selector", "template")} == defaults
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    assert "enableServiceLinks" not in spec["template"]["spec"]


def test_a_strategy_that_does_not_roll_has_no_numbers(completed: Completed) -> None:
    assert completed(workload("Deployment", strategy={"type": "Recreate"}))["spec"]["strategy"] == {"type": "Recreate"}


def test_the_defaults_of_a_job(completed: Completed) -> None:
    spec = completed(job())["spec"]
    assert {name: spec[name] for name in spec if name not in ("selector", "template")} == {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
        "manualSelector": False,
    }


def test_a_job_with_parallelism_alone_is_a_work_queue(completed: Completed) -> None:
    assert "completions" not in completed(job(parallelism=3))["spec"]


# ---------------------------------------------------------------- new objects


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_good_ones_are_let_in(refusals: Refusals, kind: str) -> None:
    assert refusals(workload(kind)) == []


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_the_selector_must_find_the_pods_of_the_template(refusals: Refusals, kind: str) -> None:
    assert refusals(workload(kind, selector={"matchLabels": {"app": "db"}})) == [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'
    ]


@pytest.mark.parametrize(("labels", "shown"), [({}, "{}"), (None, "null")], ids=["empty labels", "no labels"])
def test_a_message_shows_the_labels_as_they_were_given(refusals: Refusals, labels: Object | None, shown: str) -> None:
    template = {**TEMPLATE, "metadata": {"labels": labels}}
    assert refusals(workload("ReplicaSet", template=template)) == [
        f"spec.template.metadata.labels: Invalid value: {shown}: `selector` does not match template `labels`"
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "errors"),
    [
        ("Deployment", {"selector": None}, [
            "spec.selector: Required value",
            'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ]),
        ("Deployment", {"selector": {}}, [
            "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
        ]),
        ("Deployment", {"selector": {"matchLabels": {"app": "-"}}}, [
            "spec.selector.matchLabels: Invalid value: \"-\": a valid label must be an empty string or consist of "
            "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
            "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            'spec.selector: Invalid value: {"matchLabels":{"app":"-"}}: invalid label selector',
        ]),
        ("Deployment", {"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        ("Deployment", {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}, [
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'
        ]),
        ("Deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": "101%"}}}, [
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'
        ]),
        ("Deployment", {"strategy": {"type": "Slow"}}, [
            'spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":null}: '
            'supported values: "Recreate", "RollingUpdate"'
        ]),
        ("Deployment", {"strategy": {"type": "Recreate", "rollingUpdate": {}}}, [
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
        ]),
        ("Deployment", {"minReadySeconds": 600}, [
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"
        ]),
        ("DaemonSet", {"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}}, [
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: "
            "may not be set when maxUnavailable is non-zero"
        ]),
        ("StatefulSet", {"podManagementPolicy": "Random"}, [
            'spec.podManagementPolicy: Invalid value: "Random": must be \'OrderedReady\' or \'Parallel\''
        ]),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}, [
            'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: '
            "only allowed for updateStrategy 'RollingUpdate'"
        ]),
    ],
)  # fmt: skip
def test_bad_ones_are_refused(refusals: Refusals, kind: str, spec: Object, errors: list[str]) -> None:
    assert refusals(workload(kind, **spec)) == errors


def test_pods_that_are_kept_running_restart(refusals: Refusals) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"] |= {"restartPolicy": "Never", "activeDeadlineSeconds": 5}
    assert refusals(workload("ReplicaSet", template=template)) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
    ]


def test_claims_of_a_stateful_set_are_volumes_of_its_pods(refusals: Refusals) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    assert refusals(workload("StatefulSet", template=template, volumeClaimTemplates=[claim])) == []
    assert refusals(workload("StatefulSet", template=template)) == [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'
    ]


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({}, []),
        ({"completionMode": "Indexed", "parallelism": 1}, [
            "spec.completions: Required value: when completion mode is Indexed"
        ]),
        ({"backoffLimitPerIndex": 1}, [
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"
        ]),
        ({"managedBy": "me"}, [
            'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'
        ]),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}}, [
            'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: '
            "requires indexed completion mode"
        ]),
        ({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [{"succeededIndexes": "0,2-3"}]}}, [
            'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2-3": '
            'error parsing succeededIndexes: too large index: "3"'
        ]),
        ({"podFailurePolicy": {"rules": [{"action": "FailJob"}]}}, [
            "spec.podFailurePolicy.rules[0]: Invalid value: "
            "specifying one of OnExitCodes and OnPodConditions is required"
        ]),
        ({"podFailurePolicy": {"rules": [
            {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [2, 0, 2], "containerName": "x"}}
        ]}}, [
            'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": '
            "must be one of the container or initContainer names in the pod template",
            "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
            "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2",
            "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: must be ordered",
        ]),
    ],
)  # fmt: skip
def test_jobs(refusals: Refusals, spec: Object, errors: list[str]) -> None:
    assert refusals(job(**spec)) == errors


def test_pods_of_a_job_end(refusals: Refusals) -> None:
    endless = job()
    endless["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    assert refusals(endless) == ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']


@pytest.mark.parametrize(
    ("spec", "errors"),
    [
        ({}, []),
        ({"schedule": ""}, ["spec.schedule: Required value"]),
        ({"schedule": "TZ=UTC 0 3 * * *"}, [
            'spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": '
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        ]),
        ({"timeZone": "Europe/Berlin"}, []),
        ({"timeZone": "Mars/Moon"}, ['spec.timeZone: Invalid value: "Mars/Moon": unknown time zone Mars/Moon']),
        ({"concurrencyPolicy": "Queue"}, [
            'spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"'
        ]),
        ({"failedJobsHistoryLimit": -1}, [
            "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"
        ]),
    ],
)  # fmt: skip
def test_cron_jobs(refusals: Refusals, spec: Object, errors: list[str]) -> None:
    assert refusals(cron_job(**spec)) == errors


# ---------------------------------------------------------------- changes


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet"])
def test_a_selector_stays(refusals_of_change: RefusalsOfChange, kind: str) -> None:
    template = {**TEMPLATE, "metadata": {"labels": {**LABELS, "tier": "front"}}}
    other = workload(kind, template=template, selector={"matchLabels": {"tier": "front"}})
    assert refusals_of_change(workload(kind, template=template), other) == [
        'spec.selector: Invalid value: {"matchLabels":{"tier":"front"}}: field is immutable'
    ]


def test_little_of_a_stateful_set_may_change(refusals_of_change: RefusalsOfChange) -> None:
    before = workload("StatefulSet")
    assert refusals_of_change(before, workload("StatefulSet", replicas=3, minReadySeconds=5)) == []
    (error,) = refusals_of_change(before, workload("StatefulSet", serviceName="other"))
    assert error.startswith("spec: Forbidden: updates to statefulset spec for fields other than 'replicas', ")


def test_the_pods_of_a_job_stay_what_they_are(refusals_of_change: RefusalsOfChange, completed: Completed) -> None:
    before = job()
    after = completed(before)
    after["spec"]["parallelism"] = 4
    assert refusals_of_change(before, after) == []
    after["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2"
    (error,) = refusals_of_change(before, after)
    assert error.startswith('spec.template: Invalid value: {"labels":{"batch.kubernetes.io/controller-uid":"u-1",')
    assert error.endswith('"SchedulingGroup":null}}: field is immutable')


def test_a_waiting_job_may_be_told_where_to_run(refusals_of_change: RefusalsOfChange, completed: Completed) -> None:
    before = job(suspend=True)
    after = completed(before)
    after["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    assert refusals_of_change(before, after) == []


def test_a_pod_template_is_held_to_the_rules_of_pods(refusals):
    template = {"metadata": {"labels": {"app": "x x"}}, "spec": {"containers": [{"name": "c"}]}}
    metadata = {"name": "t", "namespace": "d"}
    said = refusals({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template})
    assert said[0].startswith('template.labels: Invalid value: "x x": a valid label must be an empty string')
    assert said[1:] == ["template.spec.containers[0].image: Required value"]
