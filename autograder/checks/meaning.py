"""Comparing by meaning: ``0.5`` CPU is ``500m``, ``nginx`` is ``docker.io/library/nginx:latest``.

What a field holds is never compared as text or by its position, only by what Kubernetes does with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from autograder.controlplane.apimachinery.quantity import Quantity, QuantityError
from autograder.controlplane.apimachinery.quantity import parse as parse_quantity

DEFAULT_REGISTRY: Final = "docker.io"


def as_quantity(value: Any) -> Quantity | None:
    """The quantity that a value of the API means, or None if it means none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return parse_quantity(str(value))
    except QuantityError:
        return None


class Image(NamedTuple):
    """An image reference with everything spelled out; an empty ``tag`` means that the digest alone decides."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Image:
        """``nginx`` is ``docker.io/library/nginx:latest``, as the container runtime takes it."""
        text, _, digest = text.partition("@")
        first, slash, rest = text.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            registry, remainder = first, rest
        else:
            registry, remainder = DEFAULT_REGISTRY, text
        if registry == "index.docker.io":
            registry = DEFAULT_REGISTRY
        repository, _, tag = remainder.partition(":")
        if registry == DEFAULT_REGISTRY and "/" not in repository:
            repository = f"library/{repository}"
        return cls(registry, repository, tag or ("" if digest else "latest"), digest)


def selector_matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a selector selects these labels.

    Takes a LabelSelector (``matchLabels``, ``matchExpressions``) as well as the plain map of a Service.  As in the API,
    an absent selector selects nothing and an empty LabelSelector everything; an empty plain map selects nothing.
    """
    if selector is None:
        return False
    if not selector:
        return True
    if not selector.keys() <= {"matchLabels", "matchExpressions"}:
        return selector.items() <= labels.items()
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    return all(_holds(requirement, labels) for requirement in selector.get("matchExpressions") or ())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = requirement["key"], requirement["operator"], requirement.get("values") or ()
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    if operator == "Exists":
        return key in labels
    return key not in labels


def shown(value: Any) -> str:
    """A value as the messages quote it: short, on one line, as YAML would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(entry)}" for key, entry in value.items()) or "{}"
    if isinstance(value, list | tuple | set | frozenset):
        entries = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return ", ".join(shown(entry) for entry in entries) or "an empty list"
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
