"""Reading the objects of one kind: one of them, a page of them, or what happens to them from a revision on."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import Expired, NotFound, Timeout
from autograder.controlplane.apimachinery.field_selectors import FieldSelector
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.selectors import LabelSelector
from autograder.controlplane.apimachinery.wire import Object, WatchEvent
from autograder.controlplane.etcd import Compacted
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.registry import continue_tokens
from autograder.controlplane.kube_apiserver.registry.options import ListOptions, WatchOptions
from autograder.controlplane.kube_apiserver.registry.strategy import field_labels, strategy_of
from autograder.controlplane.kube_apiserver.watching import ApiWatch, Bookmarks, Matches, initial_events

Objects = list[Object]

#: Of all kinds, a real server keeps no cache of events.
_NEVER_CACHED: Final = "events"


class Reader:
    """The objects of one kind, to be looked at."""

    def __init__(self, kind: ResourceType, backend: Backend) -> None:
        self.kind = kind
        self.strategy = strategy_of(kind)
        self.field_labels = field_labels(kind)
        self.backend = backend

    def get(self, namespace: str, name: str) -> Object:
        """One object; ``NotFound``."""
        found = self.backend.store.get(self.kind.storage_key(namespace, name))
        if found is None:
            raise self._not_found(name)
        return found.value

    def check_reached(self, revision: int) -> None:
        """Refuse to answer as of a revision that has not happened yet (``Timeout``)."""
        current = self.backend.store.revision
        if revision > current:
            raise Timeout.too_large(revision, current)

    def list(self, namespace: str, options: ListOptions) -> Object:
        """The objects that the options select, as a list object; ``Expired`` for history that is gone."""
        self.check_reached(max(options.revision, options.minimum))
        folder = self.kind.storage_folder(namespace)
        revision = options.revision or self.backend.store.revision
        matches = self._matches(options.labels, options.fields)
        try:
            found, last = self._page(folder, options, matches)
            metadata: Object = {"resourceVersion": str(revision)}
            if last:
                metadata["continue"] = continue_tokens.encode(revision, last.removeprefix(folder) + "\0")
                if matches is None:
                    rest = self.backend.store.range(folder, after=last, revision=options.revision)
                    metadata["remainingItemCount"] = len(rest)
        except Compacted as gone:
            raise _expired(options.start) from gone
        return {
            "kind": self.kind.kind + "List",
            "apiVersion": self.kind.api_version,
            "metadata": metadata,
            "items": found,
        }

    def _page(self, folder: str, options: ListOptions, matches: Matches | None) -> tuple[Objects, str]:
        """One page of a list, and the key after which there is more ('': there is not)."""
        found: Objects = []
        whole = options.is_of_cache and self.kind.plural != _NEVER_CACHED
        limit = options.limit if options.limit > 0 and not whole else 0
        after = folder + options.start if options.start else ""
        while True:
            page = self.backend.store.range(
                folder, after=after, limit=limit + 1 if limit else 0, revision=options.revision
            )
            for item in page:
                if limit and len(found) == limit:
                    return found, after
                after = item.key
                if matches is None or matches(item.value):
                    found.append(item.value)
            if not limit or len(page) <= limit:
                return found, ""

    def watch(self, namespace: str, options: WatchOptions) -> ApiWatch:
        """What happens to the selected objects from a revision on; ``Expired`` for history that is gone."""
        store = self.backend.store
        matches = self._matches(options.labels, options.fields)
        folder = self.kind.storage_folder(namespace)
        self.check_reached(options.revision)
        initial: list[WatchEvent] = []
        revision = options.revision or store.revision
        if options.initial_events:
            objects = [item.value for item in store.range(folder) if matches is None or matches(item.value)]
            revision = store.revision
            initial = initial_events(self.kind, objects, revision, end=options.bookmark)
        try:
            events = store.watch(folder, after=revision)
        except Compacted as gone:
            raise Expired(f"too old resource version: {gone.asked} ({gone.oldest})") from gone
        bookmarks = Bookmarks(self.kind, self.backend.clock) if options.bookmarks else None
        return ApiWatch(events, matches, initial, bookmarks)

    def _matches(self, labels: LabelSelector, fields: FieldSelector) -> Matches | None:
        """Whether an object is selected; None where all are."""
        if labels.empty and not fields.requirements:
            return None
        selectable = self.strategy.fields

        def matches(obj: Object) -> bool:
            return labels.matches(obj["metadata"].get("labels")) and (
                not fields.requirements or fields.matches(selectable(obj))
            )

        return matches

    def _not_found(self, name: str) -> NotFound:
        return NotFound.on(self.kind.plural, self.kind.group, name)


def _expired(start: str) -> Expired:
    """The answer for a list of which the history is gone; a page may be had as things stand now."""
    if not start:
        return Expired("The resourceVersion for the provided list is too old.")
    return Expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        token=continue_tokens.encode(-1, start),
    )
