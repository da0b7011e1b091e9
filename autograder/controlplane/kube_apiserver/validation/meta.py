"""Rules of the metadata that all objects have, for new objects and for changed ones; and of label selectors.

Source: apimachinery/pkg/api/validation/objectmeta.go and apimachinery/pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.names import NameCheck

Object = Mapping[str, Any]

ANNOTATIONS_LIMIT: Final = 256 * 1024
MANAGER_LIMIT: Final = 128
SUBRESOURCE_LIMIT: Final = 256
IMMUTABLE: Final = "field is immutable"
NOT_NEGATIVE: Final = "must be greater than or equal to 0"
METADATA: Final = Path("metadata")
STANDARD_FINALIZERS: Final = ("kubernetes", "orphan", "foregroundDeletion")


def validate_metadata(
    metadata: Object, *, namespaced: bool, name: NameCheck = names.dns_subdomain, path: Path = METADATA
) -> Iterator[FieldError]:
    """A new object's metadata; ``name`` is the form that names of the kind have."""
    if generate_name := metadata.get("generateName"):
        check = name if name is names.path_segment else names.prefix_of(name)
        yield from invalid(path.child("generateName"), generate_name, check(generate_name))
    given = metadata.get("name")
    if not given:
        yield field.required(path.child("name"), "name or generateName is required")
    else:
        yield from invalid(path.child("name"), given, name(given))
    namespace = metadata.get("namespace")
    if namespaced and not namespace:
        yield field.required(path.child("namespace"))
    elif namespaced:
        yield from invalid(path.child("namespace"), namespace, names.dns_label(namespace or ""))
    elif namespace:
        yield field.forbidden(path.child("namespace"), "not allowed on this type")
    for part, rule in _PARTS:
        if value := metadata.get(part):
            yield from rule(value, path.child(part))
    for position, finalizer in enumerate(metadata.get("finalizers") or ()):
        yield from standard_finalizer(finalizer, path.child("finalizers").index(position))


def validate_metadata_update(new: Object, old: Object, path: Path = METADATA) -> Iterator[FieldError]:
    """What may become of an object's metadata."""
    if old.get("deletionTimestamp"):
        added = sorted(set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()))
        if added:
            listed = ", ".join(field.quoted(one) for one in added)
            why = (
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{listed}}}"
            )
            yield field.forbidden(path.child("finalizers"), why)
    if not new.get("resourceVersion"):
        yield field.invalid(path.child("resourceVersion"), "", "must be specified for an update")
    if new.get("generation", 0) < old.get("generation", 0):
        yield field.invalid(path.child("generation"), new.get("generation", 0), "must not be decremented")
    for name in ("name", "namespace", "uid"):
        yield from immutable(new.get(name, ""), old.get(name, ""), path.child(name))
    for name in ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        yield from immutable(new.get(name), old.get(name), path.child(name))
    # What did not change was judged when it came.
    for part, rule in _CHANGEABLE_PARTS:
        if (value := new.get(part)) and value != old.get(part):
            yield from rule(value, path.child(part))


# ---------------------------------------------------------------- pieces that other rules use


def invalid(path: Path, value: Any, wrong: Iterable[str]) -> Iterator[FieldError]:
    """One error for each sentence about the value; checks of ``names`` give such sentences."""
    for sentence in wrong:
        yield field.invalid(path, value, sentence)


def not_negative(value: int, path: Path) -> Iterator[FieldError]:
    """A number that may be 0."""
    if value < 0:
        yield field.invalid(path, value, NOT_NEGATIVE)


def immutable(new: Any, old: Any, path: Path) -> Iterator[FieldError]:
    """A value that stays what it was; an empty list or map is as good as none."""
    if new != old and (new or old or isinstance(new, (int, str)) or isinstance(old, (int, str))):
        yield field.invalid(path, new, IMMUTABLE)


def label_name(key: str, path: Path) -> Iterator[FieldError]:
    """The key of a label."""
    yield from invalid(path, key, names.label_key(key))


def labels(given: Mapping[str, str] | None, path: Path) -> Iterator[FieldError]:
    """A map of labels; errors name the map, not the key."""
    for key, value in (given or {}).items():
        yield from invalid(path, key, names.label_key(key))
        yield from invalid(path, value, names.label_value(value))


def annotation_map(given: Mapping[str, str] | None, path: Path) -> Iterator[FieldError]:
    """A map of annotations: keys as of labels in any case, values free, all together within a limit."""
    size = 0
    for key, value in (given or {}).items():
        yield from invalid(path, key, names.label_key(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_LIMIT:
        yield field.too_long(path, ANNOTATIONS_LIMIT)


def label_selector(selector: Object | None, path: Path, *, check_values: bool = True) -> Iterator[FieldError]:
    """A label selector of an API object; ``check_values`` off lets malformed values through, for older objects."""
    if not selector:
        return
    yield from labels(selector.get("matchLabels"), path.child("matchLabels"))
    for position, requirement in enumerate(selector.get("matchExpressions") or ()):
        at = path.child("matchExpressions").index(position)
        operator, key, values = requirement["operator"], requirement["key"], requirement.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield field.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield field.forbidden(at.child("values"), why)
        else:
            yield field.invalid(at.child("operator"), operator, "not a valid selector operator")
        yield from label_name(key, at.child("key"))
        if check_values:
            for place, value in enumerate(values):
                yield from invalid(at.child("values").index(place), value, names.label_value(value))


# ---------------------------------------------------------------- owners, finalizers, managers


def _owner_references(owners: list[Object], path: Path) -> Iterator[FieldError]:
    controller = ""
    for owner in owners:
        version = owner["apiVersion"].rpartition("/")[2] if owner["apiVersion"].count("/") < 2 else ""
        if not version:
            yield field.invalid(path.child("apiVersion"), owner["apiVersion"], "version must not be empty")
        for name in ("kind", "name", "uid"):
            if not owner[name]:
                yield field.invalid(path.child(name), owner[name], "must not be empty")
        if (owner["apiVersion"], owner["kind"]) == ("v1", "Event"):
            yield field.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")
        if owner.get("controller"):
            this = f"{owner['kind']}/{owner['name']}"
            if controller:
                why = (
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {this}"
                )
                yield field.invalid(path, owners, why)
            else:
                controller = this


def _finalizers(finalizers: list[str], path: Path) -> Iterator[FieldError]:
    for finalizer in finalizers:
        yield from invalid(path, finalizer, names.label_key(finalizer))
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        yield field.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")


def standard_finalizer(finalizer: str, path: Path) -> Iterator[FieldError]:
    """A finalizer without a domain before it is one of Kubernetes' own."""
    if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
        yield field.invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")


def _managed_fields(entries: list[Object], path: Path) -> Iterator[FieldError]:
    for position, entry in enumerate(entries):
        at = path.index(position)
        if entry.get("operation") not in ("Apply", "Update"):
            yield field.invalid(at.child("operation"), entry.get("operation", ""), "must be `Apply` or `Update`")
        if entry.get("fieldsType") not in (None, "", "FieldsV1"):
            yield field.invalid(at.child("fieldsType"), entry["fieldsType"], "must be `FieldsV1`")
        yield from field_manager(entry.get("manager", ""), at.child("manager"))
        if len(entry.get("subresource", "").encode()) > SUBRESOURCE_LIMIT:
            yield field.too_long(at.child("subresource"), SUBRESOURCE_LIMIT)


def field_manager(manager: str, path: Path) -> Iterator[FieldError]:
    """The name of a field manager."""
    if len(manager.encode()) > MANAGER_LIMIT:
        yield field.too_long(path, MANAGER_LIMIT)
    for position, char in enumerate("" if manager.isprintable() else manager):
        if not char.isprintable():
            why = f"invalid character U+{ord(char):04X} (at position {position})"
            yield field.invalid(path, manager, why)


#: The rules of the parts of metadata that may be left out, in the order in which their errors are told.
_PARTS: Final[tuple[tuple[str, Callable[[Any, Path], Iterator[FieldError]]], ...]] = (
    ("generation", not_negative),
    ("labels", labels),
    ("annotations", annotation_map),
    ("ownerReferences", _owner_references),
    ("finalizers", _finalizers),
    ("managedFields", _managed_fields),
)
#: Those that an update may change without a rule of its own.
_CHANGEABLE_PARTS: Final = tuple((part, rule) for part, rule in _PARTS if part not in ("generation", "finalizers"))
