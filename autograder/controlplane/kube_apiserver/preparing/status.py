"""Whose status a client may write, and with which one a new object begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Obj = dict[str, Any]

#: Kinds whose ``status`` is written through its own subresource only, with the status of a new object.
FRESH_STATUS: Final[dict[str, Callable[[], Obj]]] = {
    "apps/v1.DaemonSet": lambda: {
        "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
    },
    "apps/v1.Deployment": dict,
    "apps/v1.ReplicaSet": lambda: {"replicas": 0},
    "apps/v1.StatefulSet": lambda: {"replicas": 0, "availableReplicas": 0},
    "autoscaling/v2.HorizontalPodAutoscaler": lambda: {"currentMetrics": None, "desiredReplicas": 0},
    "batch/v1.CronJob": dict,
    "batch/v1.Job": dict,
    "core/v1.Namespace": lambda: {"phase": "Active"},
    "core/v1.PersistentVolume": lambda: {"phase": "Pending"},
    "core/v1.PersistentVolumeClaim": lambda: {"phase": "Pending"},
    "core/v1.Pod": lambda: {"phase": "Pending"},
    "core/v1.ReplicationController": lambda: {"replicas": 0},
    "core/v1.ResourceQuota": dict,
    "core/v1.Service": lambda: {"loadBalancer": {}},
    "networking/v1.Ingress": lambda: {"loadBalancer": {}},
    "policy/v1.PodDisruptionBudget": lambda: {
        "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
    },
}  # fmt: skip

#: The one field of a new object's status that a client may give all the same.
GIVEN_STATUS: Final = {"core/v1.Pod": "qosClass"}

#: Kinds that have a status of their own to keep on updates, although clients may give one to a new object.
KEEPS_STATUS: Final = FRESH_STATUS.keys() | {"core/v1.Node"}
