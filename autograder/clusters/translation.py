"""Namespaces by two names: the one that an exercise knows, and the one of the namespace that we made for it.

On the way into a cluster only what means a namespace is rewritten: fields, selectors, DNS names.  On the way back every
one of our names is, wherever it stands; they have a random part, so that nothing else is spelled the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

#: The label that every namespace carries with its name.
NAME_LABEL: Final = "kubernetes.io/metadata.name"
#: Maps with keys of the user's own, which mean nothing to the cluster.
_FREE_MAPS: Final = frozenset(
    {"labels", "matchLabels", "annotations", "nodeSelector", "data", "stringData", "selector"}
)


class Translation:
    """The names of one set of namespaces."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._inward: re.Pattern[str] | None = None
        self._outward: list[tuple[str, str]] = []

    def add(self, name: str, ours: str) -> None:
        """From now on ``ours`` stands for ``name``."""
        self._ours[name] = ours
        self._outward.append((ours, name))
        names = "|".join(re.escape(known) for known in sorted(self._ours, key=len, reverse=True))
        label = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
        #: web.dev.svc..., and the whole host of a URL: http://web.dev:80/
        self._inward = re.compile(rf"(?<=\.)(?:{names})(?=\.svc\b)|(?<=//)({label}\.)(?:{names})(?=[:/?#]|$)")

    def ours(self, name: str) -> str | None:
        """The namespace that stands for ``name``, or None."""
        return self._ours.get(name)

    def names(self) -> Iterable[str]:
        """The names that an exercise knows."""
        return self._ours.keys()

    def node(self, name: str) -> str:
        """The real name of a node."""
        return name

    def object(self, plural: str, namespace: str, name: str) -> str:
        """The real name of an object whose name has that of a node in it."""
        return name

    def space(self, name: str) -> str:
        """The namespace that is meant by a name in a path."""
        return name

    def fields_in(self, fields: str, plural: str = "", namespace: str = "") -> str:
        """A field selector, for objects of a kind in a namespace, with the real names of nodes."""
        return fields

    def text_in(self, text: str) -> str:
        """A text with the DNS names of Services in our namespaces."""

        def renamed(match: re.Match[str]) -> str:
            service = match[1] or ""
            return service + self._ours[match[0].removeprefix(service)]

        return self._inward.sub(renamed, text) if self._inward else text

    def text_out(self, text: str) -> str:
        """A text as the exercise would have it."""
        for ours, name in self._outward:
            text = text.replace(ours, name)
        return text

    def inward(self, value: Any, key: str = "", *, free: bool = False) -> Any:
        """An object, or a part of one that stands at ``key``, for the cluster."""
        if isinstance(value, dict):
            below = free or key in _FREE_MAPS
            return {one: self.inward(entry, one, free=below) for one, entry in value.items()}
        if isinstance(value, list):
            if key == "namespaces" and not free:
                return [self._named(entry) for entry in value]
            return [self.inward(entry, key, free=free) for entry in value]
        if not isinstance(value, str):
            return value
        means_a_namespace = key == NAME_LABEL or (key == "namespace" and not free)
        return self._named(value) if means_a_namespace else self.text_in(value)

    def _named(self, value: Any) -> Any:
        return self._ours.get(value, value) if isinstance(value, str) else value
