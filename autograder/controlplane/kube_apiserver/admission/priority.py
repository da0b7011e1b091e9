"""Priority: the name of a priority class becomes the number that the scheduler compares."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import PODS, PRIORITYCLASSES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

DEFAULT_POLICY = "PreemptLowerPriority"


class Priority(Plugin):
    """Fills in the priority of pods; lets only one class be the default."""

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not PODS or attributes.subresource:
            return
        if attributes.operation == "UPDATE":
            self._keep(attributes)
        elif attributes.operation == "CREATE":
            self._establish(attributes)

    def validate(self, attributes: Attributes) -> None:
        new = attributes.object
        if attributes.kind is not PRIORITYCLASSES or attributes.operation not in ("CREATE", "UPDATE") or new is None:
            return
        default = self._default_class()
        if not new.get("globalDefault") or default is None:
            return
        name = default["metadata"]["name"]
        if attributes.operation == "CREATE" or name != new["metadata"]["name"]:
            raise forbidden(
                attributes, f"PriorityClass {name} is already marked as default. Only one default can exist"
            )

    @staticmethod
    def _keep(attributes: Attributes) -> None:
        assert attributes.object is not None and attributes.old is not None
        new, old = attributes.object["spec"], attributes.old["spec"]
        for key in ("priority", "preemptionPolicy"):
            if key not in new and key in old:
                new[key] = old[key]

    def _establish(self, attributes: Attributes) -> None:
        assert attributes.object is not None
        spec = attributes.object["spec"]
        name = spec.get("priorityClassName", "")
        if name:
            chosen = self.backend.read(PRIORITYCLASSES, "", name)
            if chosen is None:
                raise forbidden(attributes, f"no PriorityClass with name {name} was found")
        else:
            chosen = self._default_class()
        value, policy = 0, DEFAULT_POLICY
        if chosen is not None:
            spec["priorityClassName"] = chosen["metadata"]["name"]
            value, policy = chosen.get("value", 0), chosen.get("preemptionPolicy", DEFAULT_POLICY)
        if spec.get("priority", value) != value:
            raise forbidden(
                attributes,
                f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority "
                f"admission controller computed {value} from the given PriorityClass name",
            )
        if spec.get("preemptionPolicy", policy) != policy:
            raise forbidden(
                attributes,
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name",
            )
        spec["priority"], spec["preemptionPolicy"] = value, policy

    def _default_class(self) -> Object | None:
        """The default class; of several (made before one rule forbade it) the one with the lowest value."""
        defaults = [one for one in self.backend.read_all(PRIORITYCLASSES) if one.get("globalDefault")]
        return min(defaults, key=lambda one: one.get("value", 0), default=None)
