"""ResourceQuota: what is created in a namespace is charged to its quotas, and refused when one would be exceeded.

Usage is written into the status of each quota before the object is stored, so that two requests cannot share what is
left; the resource quota controller corrects it later from what really exists.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery import quota, resources
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.apimachinery.resources import ResourceList
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, SERVICES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver import fieldmanager
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

#: Kinds of which an update can change the usage.
_CHARGED_ON_UPDATE = (SERVICES, PERSISTENTVOLUMECLAIMS)
#: Who is said to have written the usage.
_MANAGER = "kube-apiserver"


class ResourceQuota(Plugin):
    """Charges new objects (and grown ones) to the quotas that cover them."""

    def validate(self, attributes: Attributes) -> None:
        if not _is_charged(attributes):
            return
        quotas = self.backend.read_all(RESOURCEQUOTAS, attributes.namespace)
        if not quotas:
            return
        obj = attributes.object
        assert obj is not None
        covering = [one for one in quotas if quota.covers(one, attributes.kind, obj)]
        for one in covering:
            _check_known(attributes, one, obj)
        charges = [(one, charge) for one in covering if (charge := self._charge(attributes, one, obj))]
        if not attributes.dry_run:
            for one, used in charges:
                self._write(one, used)

    def _charge(self, attributes: Attributes, one: Object, obj: Object) -> ResourceList:
        """The quota's usage with this object, or nothing when it adds nothing; raises when too much."""
        hard, used = (resources.parsed(one["status"].get(which)) for which in ("hard", "used"))
        asked = self._asked(attributes, one, obj, quota.matching_resources(attributes.kind, hard))
        if not asked:
            return {}
        new = resources.add(used, asked)
        exceeded = sorted(key for key in asked if new[key] > hard[key])
        if exceeded:
            parts = [(word, _shown(amounts, exceeded)) for word, amounts in _told(asked, used, hard)]
            raise forbidden(
                attributes,
                f"exceeded quota: {one['metadata']['name']}, " + ", ".join(f"{word}: {text}" for word, text in parts),
            )
        return new

    def _asked(self, attributes: Attributes, one: Object, obj: Object, limited: set[str]) -> ResourceList:
        """What the object adds to the usage of the limited resources; zeros are left out."""
        now = self.backend.clock.now
        usage = quota.usage(attributes.kind, obj, now)
        if attributes.operation == "UPDATE" and attributes.old is not None:
            if quota.covers(one, attributes.kind, attributes.old):
                before = quota.usage(attributes.kind, attributes.old, now)
                usage = {key: amount - before.get(key, quota.ZERO) for key, amount in usage.items()}
        return {key: amount for key, amount in usage.items() if key in limited and amount > quota.ZERO}

    def _write(self, one: Object, used: ResourceList) -> None:
        meta = one["metadata"]
        new = {**one, "metadata": dict(meta), "status": {**one["status"], "used": resources.texts(used)}}
        now = self.backend.now()
        fieldmanager.track_update(RESOURCEQUOTAS, new, one, manager=_MANAGER, subresource="status", now=now)
        self.backend.store.put(RESOURCEQUOTAS.storage_key(meta["namespace"], meta["name"]), new, expected=None)


def _check_known(attributes: Attributes, one: Object, obj: Object) -> None:
    """Refuse what a quota that covers the object cannot count: amounts that are not stated, usage not known yet."""
    name, status = one["metadata"]["name"], one["status"]
    limited = quota.matching_resources(attributes.kind, status["hard"])
    if attributes.kind is PODS and (missing := quota.unstated(limited, obj)):
        raise forbidden(attributes, f"failed quota: {name}: must specify {missing}")
    if not limited <= (status.get("used") or {}).keys():
        raise forbidden(attributes, f"status unknown for quota: {name}, resources: {','.join(sorted(limited))}")


def _is_charged(attributes: Attributes) -> bool:
    if not attributes.namespace or attributes.object is None:
        return False
    if attributes.subresource:
        return attributes.kind is PODS and attributes.subresource == "resize"
    if attributes.operation == "CREATE":
        return True
    if attributes.kind is PODS and attributes.old is not None:  # which comes into another scope
        return quota.is_terminating(attributes.object["spec"]) != quota.is_terminating(attributes.old["spec"])
    return attributes.operation == "UPDATE" and attributes.kind in _CHARGED_ON_UPDATE


def _told(asked: ResourceList, used: ResourceList, hard: ResourceList) -> list[tuple[str, ResourceList]]:
    return [("requested", asked), ("used", used), ("limited", hard)]


def _shown(amounts: dict[str, Quantity], names: list[str]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names)
