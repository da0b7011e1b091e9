"""The horizontal pod autoscaler, as it is where no metrics are served: it keeps replicas between the two bounds.

No metrics API is served here (as in any cluster without metrics-server), so every metric is asked for in vain; the
conditions and events say so, as a real autoscaler's do.  What is left is to bring the number of replicas back between
``minReplicas`` and ``maxReplicas``.  Source: pkg/controller/podautoscaler.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import BY_KIND, HORIZONTALPODAUTOSCALERS, PODS, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.conditions import Conditions
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.missing_metrics import Missing, missing

#: How often an autoscaler looks at its target; the first time comes as late.
PERIOD: Final = 15 * SECOND


class _Ambiguous(Exception):
    """The pods of the target are those of other autoscalers too."""


class HorizontalPodAutoscalerController(Controller):
    """Looks at every autoscaler each 15 seconds, and at none sooner."""

    name = "horizontal-pod-autoscaler-controller"
    service_account = "horizontal-pod-autoscaler"
    event_source = "horizontal-pod-autoscaler"
    STATE = ("_selectors",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.autoscalers = self.informers.informer(HORIZONTALPODAUTOSCALERS)
        self.pods = self.informers.informer(PODS, namespace=by_namespace)
        #: Which pods the target of an autoscaler had when it was last looked at.
        self._selectors: dict[str, str] = {}

    def subscriptions(self) -> Subscriptions:
        return {self.autoscalers: self.on_autoscaler}

    def on_autoscaler(self, delta: Delta) -> None:
        self.queue.add_after(object_key(delta.object), PERIOD, periodic=True)

    def reconcile(self, key: str) -> None:
        autoscaler = self.autoscalers.get_by_key(key)
        if autoscaler is None:
            self._selectors.pop(key, None)
            return
        self.queue.add_after(key, PERIOD, periodic=True)
        status = autoscaler.get("status") or {}
        conditions: Conditions = status.get("conditions") or []
        try:
            kind, scale = self._scale(autoscaler)
        except StatusError as error:
            self.recorder.event(autoscaler, "Warning", "FailedGetScale", error.message)
            text = f"the HPA controller was unable to get the target's current scale: {error.message}"
            conditions = self._with(conditions, "AbleToScale", "False", "FailedGetScale", text)
            self._write(autoscaler, {**status, "conditions": conditions})
            return
        text = "the HPA controller was able to get the target's current scale"
        conditions = self._with(conditions, "AbleToScale", "True", "SucceededGetScale", text)
        current = scale["spec"].get("replicas", 0)
        least, most = autoscaler["spec"].get("minReplicas", 1), autoscaler["spec"]["maxReplicas"]
        if current == 0:
            text = "scaling is disabled since the replica count of the target is zero"
            conditions = self._with(conditions, "ScalingActive", "False", "ScalingDisabled", text)
            self._write(autoscaler, self._status(status, conditions, 0, 0))
        elif current > most:
            text = "Current number of replicas above Spec.MaxReplicas"
            self._rescale(autoscaler, conditions, kind, scale, most, text)
        elif current < least:
            text = "Current number of replicas below Spec.MinReplicas"
            self._rescale(autoscaler, conditions, kind, scale, least, text)
        else:
            self._measure(autoscaler, conditions, scale)

    def _scale(self, autoscaler: Object) -> tuple[ResourceType, Object]:
        """What is scaled, and its present scale."""
        target = autoscaler["spec"]["scaleTargetRef"]
        kind = BY_KIND.get((target.get("apiVersion", ""), target["kind"]))
        if kind is None:
            group = target.get("apiVersion", "").rpartition("/")[0]
            raise StatusError(f'no matches for kind "{target["kind"]}" in group "{group}"')
        return kind, self.client.get(kind, autoscaler["metadata"]["namespace"], target["name"], "scale")

    def _rescale(
        self, autoscaler: Object, conditions: Conditions, kind: ResourceType, scale: Object, wanted: int, why: str
    ) -> None:
        """Bring the target to a number of replicas."""
        status = autoscaler.get("status") or {}
        current = scale["spec"].get("replicas", 0)
        try:
            self.client.update(kind, {**scale, "spec": {**scale["spec"], "replicas": wanted}}, "scale")
        except StatusError as error:
            text = f"New size: {wanted}; reason: {why}; error: {error.message}"
            self.recorder.event(autoscaler, "Warning", "FailedRescale", text)
            text = f"the HPA controller was unable to update the target scale: {error.message}"
            conditions = self._with(conditions, "AbleToScale", "False", "FailedUpdateScale", text)
            self._write(autoscaler, self._status(status, conditions, current, status.get("desiredReplicas", 0)))
            return
        text = f"the HPA controller was able to update the target scale to {wanted}"
        conditions = self._with(conditions, "AbleToScale", "True", "SucceededRescale", text)
        self.recorder.event(autoscaler, "Normal", "SuccessfulRescale", f"New size: {wanted}; reason: {why}")
        self._write(autoscaler, {**self._status(status, conditions, current, wanted), "lastScaleTime": self.now})

    def _measure(self, autoscaler: Object, conditions: Conditions, scale: Object) -> None:
        """Ask for the metrics, of which there is none."""
        status = autoscaler.get("status") or {}
        metrics = autoscaler["spec"].get("metrics") or []
        try:
            self._require_unambiguous(autoscaler, scale)
        except _Ambiguous as error:
            self.recorder.event(autoscaler, "Warning", "AmbiguousSelector", str(error))
            reason, text, failure, current = "AmbiguousSelector", str(error), str(error), None
        else:
            found = [missing(metric, autoscaler["metadata"]["namespace"]) for metric in metrics]
            for one in found:
                self.recorder.event(autoscaler, "Warning", one.reason, one.message)
            reason, text, failure = self._summary(found)
            current = [{"type": ""} for _ in metrics]
        conditions = self._with(conditions, "ScalingActive", "False", reason, text)
        replicas = scale["spec"].get("replicas", 0)
        self._write(autoscaler, self._status(status, conditions, replicas, status.get("desiredReplicas", 0), current))
        self.recorder.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", failure)

    @staticmethod
    def _summary(found: list[Missing]) -> tuple[str, str, str]:
        """Reason and message of the condition, and the message of the event."""
        first, count = found[0], len(found)
        return (
            first.reason,
            f"the HPA was unable to compute the replica count: {first.message}",
            f"invalid metrics ({count} invalid out of {count}), first error is: {first.whole}",
        )

    def _require_unambiguous(self, autoscaler: Object, scale: Object) -> None:
        namespace, key = autoscaler["metadata"]["namespace"], object_key(autoscaler)
        selector = (scale.get("status") or {}).get("selector", "")
        self._selectors[key] = selector
        chosen = selectors.parse_labels(selector)
        pods = [
            pod["metadata"].get("labels")
            for pod in self.pods.by_index("namespace", namespace)
            if chosen.matches(pod["metadata"].get("labels"))
        ]
        others = {
            one: selectors.parse_labels(text)
            for one, text in self._selectors.items()
            if one.startswith(f"{namespace}/")
        }
        claiming = sorted(one for one, other in others.items() if any(other.matches(labels) for labels in pods))
        if len(claiming) > 1:
            raise _Ambiguous(f"pods by selector {selector} are controlled by multiple HPAs: [{' '.join(claiming)}]")

    def _with(self, conditions: Conditions, kind: str, status: str, reason: str, message: str) -> Conditions:
        """The conditions with one set; it keeps its place, and its time while its status stays."""
        same = (one.get("lastTransitionTime") for one in conditions if (one["type"], one["status"]) == (kind, status))
        since = next(same, self.now)
        condition = {
            "type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message
        }  # fmt: skip
        if all(one["type"] != kind for one in conditions):
            return [*conditions, condition]
        return [condition if one["type"] == kind else one for one in conditions]

    @staticmethod
    def _status(
        known: Object, conditions: Conditions, current: int, desired: int, metrics: list[Object] | None = None
    ) -> Object:
        scaled = {"lastScaleTime": known["lastScaleTime"]} if "lastScaleTime" in known else {}
        counted = {"currentReplicas": current} if current else {}
        return {
            **scaled, **counted, "desiredReplicas": desired, "currentMetrics": metrics, "conditions": conditions,
        }  # fmt: skip

    def _write(self, autoscaler: Object, status: Object) -> None:
        if status != (autoscaler.get("status") or {}):
            self.client.update(HORIZONTALPODAUTOSCALERS, {**autoscaler, "status": status}, "status")
