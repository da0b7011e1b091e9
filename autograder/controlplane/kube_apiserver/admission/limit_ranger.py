"""LimitRanger: a namespace's LimitRanges give containers default resources and bound what they may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from autograder.controlplane.apimachinery import resources
from autograder.controlplane.apimachinery.pod_spec import initial_containers
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.apimachinery.resources import ResourceList
from autograder.controlplane.apimachinery.scheme import LIMITRANGES, PERSISTENTVOLUMECLAIMS, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

ANNOTATION = "kubernetes.io/limit-ranger"


class LimitRanger(Plugin):
    """Completes pods with default requests and limits, and holds pods and claims within the bounds."""

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not PODS or not _is_judged(attributes):
            return
        assert attributes.object is not None
        for limit_range in self.backend.read_all(LIMITRANGES, attributes.namespace):
            _set_defaults(attributes.object, limit_range)

    def validate(self, attributes: Attributes) -> None:
        if not _is_judged(attributes):
            return
        assert attributes.object is not None
        for limit_range in self.backend.read_all(LIMITRANGES, attributes.namespace):
            judge = _judge_pod if attributes.kind is PODS else _judge_claim
            reasons = list(dict.fromkeys(judge(attributes.object, limit_range)))
            if reasons:
                raise forbidden(attributes, reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]")


def _is_judged(attributes: Attributes) -> bool:
    if attributes.operation not in ("CREATE", "UPDATE"):
        return False
    if attributes.kind is PODS and attributes.subresource == "resize":
        return True
    if attributes.subresource:
        return False
    if attributes.kind is PODS:
        return attributes.operation == "CREATE"
    return attributes.kind is PERSISTENTVOLUMECLAIMS


def _set_defaults(pod: Object, limit_range: Object) -> None:
    wanted: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for limit in limit_range["spec"].get("limits") or ():
        if limit["type"] == "Container":
            wanted["requests"].update(limit.get("defaultRequest", {}))
            wanted["limits"].update(limit.get("default", {}))
    told = []
    for label, group in (("container", "containers"), ("init container", "initContainers")):
        for container in pod["spec"].get(group) or ():
            told += _merge(container, wanted, label)
    if told:
        pod["metadata"].setdefault("annotations", {})[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(told)


def _merge(container: Object, wanted: Mapping[str, Mapping[str, str]], label: str) -> list[str]:
    """Fill in what a container leaves out; returns what was filled in, in words."""
    told = []
    for which, word in (("requests", "request"), ("limits", "limit")):
        stated = container.get("resources", {}).get(which, {})
        added = {name: amount for name, amount in wanted[which].items() if name not in stated}
        if added:
            container["resources"] = {**container.get("resources", {}), which: {**stated, **added}}
            told.append(f"{', '.join(sorted(added))} {word} for {label} {container['name']}")
    return told


def _judge_pod(pod: Object, limit_range: Object) -> Iterator[str]:
    spec = pod["spec"]
    for limit in limit_range["spec"].get("limits") or ():
        if limit["type"] == "Container":
            for container in initial_containers(spec):
                stated = container.get("resources", {})
                requests, limits = resources.parsed(stated.get("requests")), resources.parsed(stated.get("limits"))
                yield from _judge(limit, requests, limits)
        elif limit["type"] == "Pod":
            yield from _judge(limit, resources.pod_requests(spec), resources.pod_limits(spec))


def _judge(limit: Object, requests: ResourceList, limits: ResourceList) -> Iterator[str]:
    where = limit["type"]
    for name, bound in resources.parsed(limit.get("min")).items():
        yield from _minimum(where, name, bound, requests.get(name), limits.get(name))
    for name, bound in resources.parsed(limit.get("max")).items():
        yield from _maximum(where, name, bound, requests.get(name), limits.get(name))
    for name, bound in resources.parsed(limit.get("maxLimitRequestRatio")).items():
        yield from _ratio(where, name, bound, requests.get(name), limits.get(name))


def _judge_claim(claim: Object, limit_range: Object) -> Iterator[str]:
    requests = resources.parsed(claim["spec"].get("resources", {}).get("requests"))
    for limit in limit_range["spec"].get("limits") or ():
        if limit["type"] != "PersistentVolumeClaim":
            continue
        for name, bound in resources.parsed(limit.get("min")).items():
            yield from _minimum(limit["type"], name, bound, requests.get(name), None)
        for name, bound in resources.parsed(limit.get("max")).items():
            request = requests.get(name)
            rule = f"maximum {name} usage per {limit['type']} is {bound}"
            if request is None:
                yield f"{rule}.  No request is specified"
            elif request > bound:
                yield f"{rule}, but request is {request}"


def _minimum(where: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> Iterator[str]:
    rule = f"minimum {name} usage per {where} is {bound}"
    if request is None:
        yield f"{rule}.  No request is specified"
    elif request < bound:
        yield f"{rule}, but request is {request}"
    elif limit is not None and limit < bound:
        yield f"{rule}, but limit is {limit}"


def _maximum(where: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> Iterator[str]:
    rule = f"maximum {name} usage per {where} is {bound}"
    if limit is None:
        yield f"{rule}.  No limit is specified"
    elif limit > bound:
        yield f"{rule}, but limit is {limit}"
    elif request is not None and request > bound:
        yield f"{rule}, but request is {request}"


def _ratio(where: str, name: str, bound: Quantity, request: Quantity | None, limit: Quantity | None) -> Iterator[str]:
    rule = f"{name} max limit to request ratio per {where} is {bound}"
    if not request:
        yield f"{rule}, but no request is specified or request is 0"
    elif not limit:
        yield f"{rule}, but no limit is specified or limit is 0"
    elif limit.milli_value * 1000 > bound.milli_value * request.milli_value:
        yield f"{rule}, but provided ratio is {limit.milli_value / request.milli_value:f}"
