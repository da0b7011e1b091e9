"""Objects as tables, which is what ``kubectl get`` asks for: the server, not kubectl, decides on columns and cells.

One module for each group of kinds; a kind without a table of its own shows its name and when it was created.
Source of columns and cells: pkg/printers/internalversion; of the document: meta/v1 ``Table``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.tables import (
    cluster,
    configuration,
    networking,
    pods,
    storage,
    workloads,
)
from autograder.controlplane.kube_apiserver.tables.printer import NAME, Column, Printer, name_of

_PRINTERS: Final[dict[tuple[str, str], Printer]] = {
    **pods.PRINTERS,
    **workloads.PRINTERS,
    **networking.PRINTERS,
    **configuration.PRINTERS,
    **cluster.PRINTERS,
    **storage.PRINTERS,
}


def table(
    kind: ResourceType,
    objects: Sequence[Object],
    *,
    now: int,
    include_object: str = "Metadata",
    no_headers: bool = False,
    metadata: Object | None = None,
    version: str = "v1",
    subresource: str = "",
) -> Object:
    """The ``Table`` of objects of one kind at ``now`` (microseconds).

    ``metadata`` is that of the list (or of the table of one object: its resourceVersion).  ``include_object`` is what
    each row carries beside its cells: nothing, the metadata, or the whole object; empty means the metadata.
    ``no_headers`` leaves out the columns, as in every event of a watch but the first.  The subresource ``scale`` has a
    table of its own.  Raises ``BadRequest`` when ``include_object`` is something else.
    """
    if include_object not in ("", "None", "Metadata", "Object"):
        raise BadRequest(
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"\"{include_object}\": must be 'Metadata', 'Object', 'None', or empty"
        )
    key = ("autoscaling", "Scale") if subresource == "scale" else (kind.group, kind.kind)
    printer = _PRINTERS.get(key, _PLAIN)
    meta_version = f"meta.k8s.io/{version}"
    return {
        "kind": "Table",
        "apiVersion": meta_version,
        "metadata": metadata or {},
        "columnDefinitions": None if no_headers else _definitions(key),
        "rows": [_row(printer, obj, now, include_object, meta_version) for obj in objects],
    }


def column_names(kind: ResourceType) -> tuple[str, ...]:
    """The columns of a kind's table, the wide ones among them."""
    return tuple(column.name for column in _PRINTERS.get((kind.group, kind.kind), _PLAIN).columns)


def _row(printer: Printer, obj: Object, now: int, include_object: str, meta_version: str) -> Object:
    row: Object = {"cells": printer.cells(obj, now)}
    if printer.conditions and (conditions := printer.conditions(obj)):
        row["conditions"] = conditions
    if include_object == "Object":
        row["object"] = obj
    elif include_object == "None":
        row["object"] = None
    else:
        row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": meta_version, "metadata": obj["metadata"]}
    return row


def _plain_cells(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), obj["metadata"].get("creationTimestamp")]


_PLAIN: Final = Printer(
    (NAME, Column("Created At", "meta.v1.ObjectMeta.creationTimestamp", "date")),
    _plain_cells,
)


@cache
def _definitions(key: tuple[str, str]) -> list[Object]:
    """The column definitions of a kind, which are the same for every table of it."""
    return [column.definition() for column in _PRINTERS.get(key, _PLAIN).columns]
