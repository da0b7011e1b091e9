"""What a printer is: the columns of a kind's table, and how a row of cells is made from an object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver import schemas
from autograder.controlplane.kube_apiserver.tables.ages import age

NONE: Final = "<none>"
UNSET: Final = "<unset>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.  Columns of priority 1 are shown by ``-o wide`` only.

    ``field`` names the field whose description in the schema describes the column too; ``text`` is a description of
    its own.
    """

    name: str
    field: str = ""
    type: str = "string"
    priority: int = 0
    text: str = ""
    format: str = ""

    def definition(self) -> Object:
        """The ``TableColumnDefinition``."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.text or schemas.description(self.field),
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Printer:
    """The table of one kind: ``cells(object, now)`` gives a cell for each column, ``now`` in microseconds."""

    columns: tuple[Column, ...]
    cells: Callable[[Object, int], list[Any]]
    conditions: Callable[[Object], list[Object]] | None = None


NAME: Final = Column("Name", "meta.v1.ObjectMeta.name", format="name")
AGE: Final = Column("Age", "meta.v1.ObjectMeta.creationTimestamp")
CONTAINERS: Final = (
    Column("Containers", priority=1, text="Names of each container in the template."),
    Column("Images", priority=1, text="Images referenced by each container in the template."),
)


def name_of(obj: Object) -> str:
    """The name of an object."""
    name: str = obj["metadata"].get("name", "")
    return name


def age_of(obj: Object, now: int) -> str:
    """The time since an object was created."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def containers(pod_spec: Object) -> list[str]:
    """The names and the images of containers, each in one cell."""
    listed = pod_spec.get("containers") or ()
    return [",".join(c.get("name", "") for c in listed), ",".join(c.get("image", "") for c in listed)]


def labels(pairs: Mapping[str, str] | None) -> str:
    """``a=1,b=2`` in the order of keys, or ``<none>``."""
    return ",".join(f"{key}={value}" for key, value in sorted((pairs or {}).items())) or NONE


def selector(given: Object | None) -> str:
    """A label selector as kubectl's ``-l`` takes it; empty when it asks for nothing."""
    return selectors.text_of_object(given or {})


def selector_or_none(given: Object | None) -> str:
    """A label selector, or ``<none>``."""
    return selector(given) or NONE


def quantity(amounts: Mapping[str, Any] | None, resource: str) -> str:
    """One quantity of a list of resources; what is missing is nothing."""
    return str((amounts or {}).get(resource, "0"))


def true_condition(conditions: Iterable[Object], kind: str) -> bool:
    """Whether the first condition of a type is True."""
    return next((c.get("status") == "True" for c in conditions if c.get("type") == kind), False)
