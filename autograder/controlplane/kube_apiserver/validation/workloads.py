"""Rules that all kinds with a selector and a pod template share.

Source: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field, integers, selectors
from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.intstr import is_valid_percent
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid, label_selector, not_negative

Object = Mapping[str, Any]

MISMATCH: Final = "`selector` does not match template `labels`"
MORE_THAN_REPLICAS: Final = "cannot be greater than status.replicas"
NOT_DECREMENTED: Final = "cannot be decremented"


def required_selector(selector: Object | None, kind: str, path: Path) -> Iterator[FieldError]:
    """A selector that must be there and select something; ``kind`` is what the message calls the object."""
    if selector is None:
        yield field.required(path)
        return
    yield from label_selector(selector, path)
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield field.invalid(path, selector, f"empty selector is invalid for {kind}")


def is_well_formed(selector: Object | None, path: Path) -> bool:
    """Whether the selector can be asked what it selects."""
    return not any(label_selector(selector, path))


def selects_template(selector: Object | None, template: Object, path: Path) -> Iterator[FieldError]:
    """The pods of the template must be found by the selector (which is well formed); ``path`` is the template's."""
    chosen = selectors.of_object(selector)
    metadata = template["metadata"]
    if not chosen.matches(metadata.get("labels")):
        yield field.invalid(path.child("metadata").child("labels"), as_given(metadata, "labels"), MISMATCH)


def always_restarts(spec: Object, path: Path, kind: str) -> Iterator[FieldError]:
    """Pods that are kept running restart, and have no deadline; ``path`` is that of their spec."""
    if spec.get("restartPolicy") != "Always":
        yield field.not_supported(path.child("restartPolicy"), spec.get("restartPolicy", ""), ("Always",))
    if "activeDeadlineSeconds" in spec:
        yield field.forbidden(path.child("activeDeadlineSeconds"), f"activeDeadlineSeconds in {kind} is not Supported")


def counts(obj: Object, path: Path, *fields: str) -> Iterator[FieldError]:
    """Numbers that are not negative."""
    for name in fields:
        yield from not_negative(obj.get(name) or 0, path.child(name))


def not_more_than_replicas(status: Object, path: Path, *fields: str) -> Iterator[FieldError]:
    """Of all pods there are at least as many as of any sort of them."""
    for name in fields:
        number = status.get(name, 0)
        if number > status.get("replicas", 0):
            yield field.invalid(path.child(name), number, MORE_THAN_REPLICAS)


def collisions_only_grow(new: Object, old: Object) -> Iterator[FieldError]:
    """``status.collisionCount`` never shrinks."""
    given, before = new["status"].get("collisionCount"), old["status"].get("collisionCount")
    if before is not None and (given is None or given < before):
        yield field.invalid(Path("status").child("collisionCount"), given or 0, NOT_DECREMENTED)


# ---------------------------------------------------------------- counts or percentages


def count_or_percentage(value: int | str, path: Path) -> Iterator[FieldError]:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        yield from invalid(path, value, names.percentage(value))
    else:
        yield from not_negative(value, path)


def at_most_everything(value: int | str, path: Path) -> Iterator[FieldError]:
    """A percentage of at most 100."""
    if isinstance(value, str) and is_valid_percent(value) and integers.nearest(value[:-1]) > 100:
        yield field.invalid(path, value, "must not be greater than 100%")


def amount(value: int | str) -> int:
    """The number, of a percentage the one before the sign; 0 for malformed texts."""
    if isinstance(value, int):
        return value
    return integers.nearest(value[:-1] if is_valid_percent(value) else value)
