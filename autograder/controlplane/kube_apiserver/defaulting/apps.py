"""Defaults of the kinds that keep pods running: Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController.

Source: pkg/apis/apps/v1/defaults.go, pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.kube_apiserver.decoding import CannotBeHandled
from autograder.controlplane.kube_apiserver.defaulting.pods import default_claim_spec, default_template, set_missing

Object = dict[str, Any]

HISTORY_LIMIT: Final = 10
PROGRESS_DEADLINE: Final = 600
TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"


def default_deployment(deployment: Object) -> None:
    """The defaults of a Deployment."""
    spec = deployment["spec"]
    set_missing(
        spec, {"replicas": 1, "revisionHistoryLimit": HISTORY_LIMIT, "progressDeadlineSeconds": PROGRESS_DEADLINE}
    )
    _default_rolling(spec["strategy"], {"maxUnavailable": "25%", "maxSurge": "25%"})
    default_template(spec["template"])


def default_replica_set(replica_set: Object) -> None:
    """The defaults of a ReplicaSet."""
    replica_set["spec"].setdefault("replicas", 1)
    default_template(replica_set["spec"]["template"])


def default_daemon_set(daemon_set: Object) -> None:
    """The defaults of a DaemonSet; ``CannotBeHandled`` for a generation of its template that is no number."""
    spec = daemon_set["spec"]
    annotations = daemon_set["metadata"].get("annotations", {})
    generation = _generation(annotations.get(TEMPLATE_GENERATION, "0"))
    daemon_set["metadata"]["annotations"] = dict(sorted({**annotations, TEMPLATE_GENERATION: generation}.items()))
    spec.setdefault("revisionHistoryLimit", HISTORY_LIMIT)
    _default_rolling(spec["updateStrategy"], {"maxUnavailable": 1, "maxSurge": 0})
    default_template(spec["template"])


def default_stateful_set(stateful_set: Object) -> None:
    """The defaults of a StatefulSet."""
    spec = stateful_set["spec"]
    set_missing(spec, {"replicas": 1, "revisionHistoryLimit": HISTORY_LIMIT, "podManagementPolicy": "OrderedReady"})
    strategy = spec["updateStrategy"]
    if "type" not in strategy:
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    set_missing(retention, {"whenDeleted": "Retain", "whenScaled": "Retain"})
    default_template(spec["template"])
    for claim in spec.get("volumeClaimTemplates", ()):
        set_missing(claim, {"kind": "PersistentVolumeClaim", "apiVersion": "v1"})
        default_claim_spec(claim["spec"])
        claim["status"].setdefault("phase", "Pending")


def default_replication_controller(controller: Object) -> None:
    """The defaults of a ReplicationController: what the template says of labels goes for the selector as well."""
    spec = controller["spec"]
    spec.setdefault("replicas", 1)
    template = spec.get("template")
    if template is None:
        return
    if labels := template["metadata"].get("labels"):
        spec.setdefault("selector", dict(labels))
        controller["metadata"].setdefault("labels", dict(labels))
    default_template(template)


def _generation(text: str) -> str:
    """The generation of a template, as an integer is spelt."""
    try:
        return str(integers.parse(text))
    except ValueError as error:
        raise CannotBeHandled("DaemonSet", "apps/v1", "DaemonSet", str(error)) from None


def _default_rolling(strategy: Object, rolling: Object) -> None:
    """The strategy is a rolling update, and how it rolls."""
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        set_missing(strategy.setdefault("rollingUpdate", {}), rolling)
