"""Checks an object against the schema of its kind: unknown fields, wrong types and values, missing fields.

Schema and messages are for learners: what was wanted, what was found, what to do. The API server judges the rest
(names, ranges, what fits together); what it refuses for its form alone is found here, all at once and with positions.
"""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

from autograder.manifests.enums import allowed_values
from autograder.manifests.manifest import Document
from autograder.manifests.problems import FieldPath, Position, Problem, Severity
from autograder.manifests.schema import DEFAULT_VERSION, Schema, Schemas
from autograder.manifests.suggestions import closest, containing, home_of
from autograder.manifests.wording import WANTED, cut, in_words, quantity_hint, shown, type_hint, type_of

#: The message about a field that the schema does not have.
UNKNOWN_FIELD: Final = "unknown field"
_INTEGER_BITS: Final = {"int32": 32, "int64": 64}
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_QUANTITY_NAME: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?", re.ASCII)
#: What the schema calls required and the server does without.
_NOT_ENFORCED: Final = frozenset({("io.k8s.api.core.v1.LimitRangeSpec", "limits")})
_MOST_PROBLEMS: Final = 50


def check_schema(document: Document, version: str = DEFAULT_VERSION) -> list[Problem]:
    """Everything in the object that its schema in this version of Kubernetes does not allow, in reading order.

    ``version`` is ``1.36`` or ``v1.36.2``; raises ``UnknownVersion``. At most 50 problems are listed, and then one more
    says that there are others.
    """
    checker = _Checker(document, Schemas.of(version))
    checker.check()
    problems = sorted(checker.problems, key=lambda problem: problem.position or Position("", 0, 0))
    if checker.enough:
        problems.append(Problem("error", "there may be more problems than these", hint="solve these first"))
    return problems


class _Checker:
    """One walk through one object."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self._document = document
        self._schemas = schemas
        self._root = ""
        self.problems: list[Problem] = []

    @property
    def enough(self) -> bool:
        """Whether so many problems are found that nobody reads on."""
        return len(self.problems) >= _MOST_PROBLEMS

    def check(self) -> None:
        definition = self._definition()
        if definition is not None:
            self._root = definition
            schema = self._schemas.definitions[definition]
            given = self._fields(definition, schema, self._document.value, ())
            if "spec" not in given:
                self._missing_spec(schema)

    def _missing_spec(self, schema: Schema) -> None:
        """No schema requires ``spec``; an object whose spec has required fields cannot do without."""
        if "spec" in schema["properties"]:
            definition, inside = self._schemas.resolve(schema["properties"]["spec"])
            needed = [field for field in inside.get("required", ()) if (definition, field) not in _NOT_ENFORCED]
            if needed:
                self._problem(("spec",), "this field is required", f"it has at least {' and '.join(needed)}")

    def _definition(self) -> str | None:
        """The definition of the object's kind, or of the kind that was most likely meant."""
        missing = [field for field in ("apiVersion", "kind") if self._document.value.get(field) is None]
        for field in missing:
            self._missing_type(field)
        wrong = [field for field in ("apiVersion", "kind") if not isinstance(self._document.value.get(field), str)]
        for field in wrong:
            if field not in missing:
                self._wrong_type(["string"], self._document.value[field], (field,))
        if wrong:
            return None
        api_version, kind = self._document.api_version, self._document.kind
        return self._schemas.lookup(api_version, kind) or self._guess(api_version, kind)

    def _missing_type(self, field: str) -> None:
        slip = next((key for key in self._document.value if key.casefold() == field.casefold() and key != field), None)
        if slip is not None:
            self._unknown((slip,), f'did you mean "{field}"?')
            return
        hint = f"every object begins with apiVersion and kind; add `{field}: ...`"
        if field == "apiVersion":
            versions = self._schemas.api_versions_of(self._document.kind)
            hint = f"add `apiVersion: {versions[0]}`" if versions else hint
        self._problem((field,), "this field is required", hint)

    def _guess(self, api_version: str, kind: str) -> str | None:
        versions = self._schemas.api_versions_of(kind)
        if versions:
            message = f"kind {kind} lives in {versions[0]}, not {cut(api_version) or shown(api_version)}"
            self._problem(("apiVersion",), message, f"write `apiVersion: {versions[0]}`")
            return self._schemas.lookup(versions[0], kind)
        meant = closest(kind, (known.kind for known in self._schemas.kinds if not known.kind.endswith("List")))
        if meant is not None:
            self._problem(("kind",), f"there is no kind {shown(kind)}", f'did you mean "{meant}"?')
            return self._schemas.lookup(api_version, meant)
        api_versions = {known.api_version for known in self._schemas.kinds}
        if api_version in api_versions:
            self._problem(("kind",), f"there is no kind {shown(kind)} in {api_version}", "check its spelling")
        else:
            message = f"Kubernetes itself has no kind {shown(kind)} in {shown(api_version)}"
            self._problem(("kind",), message, "only a custom resource definition can add it", severity="warning")
        return None

    def _value(self, schema: Schema, value: Any, path: FieldPath, allowed: tuple[str, ...]) -> None:
        """Check one value that is not null; ``allowed`` are the values of an enumeration, if it is one."""
        name, schema = self._schemas.resolve(schema)
        types = _types(schema)
        found = type_of(value)
        if types and found not in types and not (found == "integer" and "number" in types):
            self._wrong_type(types, value, path)
        elif isinstance(value, dict):
            self._fields(name, schema, value, path)
        elif isinstance(value, list):
            self._entries(schema, value, path, allowed)
        elif isinstance(value, str):
            self._text(name, schema, value, path, allowed)
        elif isinstance(value, int) and schema.get("format") in _INTEGER_BITS:
            end = 1 << (_INTEGER_BITS[schema["format"]] - 1)
            if value >= end:
                self._problem(path, f"the number {value} is too large", f"at most {end - 1} is possible")
            elif value < -end:
                self._problem(path, f"the number {value} is too small", f"at least {-end} is possible")

    def _fields(self, definition: str, schema: Schema, value: dict[str, Any], path: FieldPath) -> set[str]:
        """Check the fields of a map; the names of those that are given, or were most likely meant."""
        properties = schema.get("properties")
        others = schema.get("additionalProperties")
        given = {key for key, entry in value.items() if entry is not None}
        for key, entry in value.items():
            if self.enough:
                break
            inside = (*path, key)
            if properties is not None and key in properties:
                if entry is not None:
                    self._value(properties[key], entry, inside, allowed_values(definition, key))
            elif isinstance(others, dict):
                if entry is not None:
                    self._value(others, entry, inside, ())
            elif properties is not None:
                missing = [name for name in schema.get("required", ()) if name not in value]
                meant = closest(key, properties) or containing(key, missing)
                self._unknown(inside, _slip_hint(meant, value) if meant else self._home_hint(schema, inside, entry))
                given.add(meant or key)
        if path[:1] != ("status",):
            self._require(definition, schema, value, given, path)
        return given

    def _require(
        self, definition: str, schema: Schema, value: dict[str, Any], given: set[str], path: FieldPath
    ) -> None:
        """Note the required fields of a map that are not ``given``."""
        for key in schema.get("required", ()):
            if key not in given and (definition, key) not in _NOT_ENFORCED:
                message = "this field is required" + (", and it has no value" if key in value else "")
                self._problem((*path, key), message, "" if key in value else f"add `{key}`")

    def _entries(self, schema: Schema, value: list[Any], path: FieldPath, allowed: tuple[str, ...]) -> None:
        for index, entry in enumerate(value):
            if self.enough:
                break
            if entry is None:
                hint = "write something behind the dash, or take the dash away"
                self._problem((*path, index), "this entry of the list is empty", hint, severity="warning")
            elif "items" in schema:
                self._value(schema["items"], entry, (*path, index), allowed)

    def _text(self, definition: str, schema: Schema, value: str, path: FieldPath, allowed: tuple[str, ...]) -> None:
        if allowed and value and value not in allowed:
            meant = closest(value, allowed)
            hint = f'did you mean "{meant}"?' if meant else f"it must be one of {', '.join(allowed)}"
            self._problem(path, f"{shown(value)} is not a value of this field", hint)
        elif schema.get("format") == "byte" and not _is_base64(value):
            hint = "use stringData for plain text" if self._document.kind == "Secret" else "encode it first"
            self._problem(path, "this is not base64", hint)
        elif schema.get("format") == "date-time" and not _DATE_TIME.fullmatch(value):
            self._problem(path, f"{shown(value)} is not a time", "write it like 2026-01-31T12:00:00Z")
        elif definition == _QUANTITY_NAME and not _QUANTITY.fullmatch(value):
            self._problem(path, f"{shown(value)} is not a quantity", quantity_hint(value))

    def _home_hint(self, schema: Schema, path: FieldPath, value: Any) -> str:
        """Where a field belongs that is unknown here: to another part of the object, or into a free-form map."""
        name = str(path[-1])
        home = home_of(self._schemas, self._root, path[:-1], name)
        if home is None:
            maps = [field for field, inside in schema["properties"].items() if "additionalProperties" in inside]
            return f"put it under {maps[0]}" if len(maps) == 1 and not isinstance(value, dict | list) else ""
        if not home:
            return f"`{name}` belongs to the top level, beside kind"
        where = ".".join(home)
        if where.endswith("[]"):
            return f"`{name}` belongs to an entry of {where[:-2]}"
        return f"`{name}` belongs to {where}"

    def _unknown(self, path: FieldPath, hint: str) -> None:
        self._problem(path, UNKNOWN_FIELD, hint, self._document.key_position(path))

    def _wrong_type(self, types: list[str], value: Any, path: FieldPath) -> None:
        raw = self._document.raw(path)
        wanted = " or ".join(WANTED[one] for one in types)
        self._problem(path, f"wanted {wanted}, found {in_words(value, raw)}", type_hint(types, value, raw))

    def _problem(
        self,
        path: FieldPath,
        message: str,
        hint: str = "",
        position: Position | None = None,
        severity: Severity = "error",
    ) -> None:
        place = position or self._document.nearest_position(path)
        self.problems.append(Problem(severity, message, place, path, hint))


def _slip_hint(meant: str, siblings: dict[str, Any]) -> str:
    return f'did you mean "{meant}"? It is given already' if meant in siblings else f'did you mean "{meant}"?'


def _types(schema: Schema) -> list[str]:
    """The JSON types that a schema allows, null left out; empty if every one."""
    types: list[str] = []
    for part in (schema, *schema.get("oneOf", ())):
        named = part.get("type", ())
        types.extend([named] if isinstance(named, str) else named)
    return [one for one in types if one != "null"]


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text.replace("\n", "").replace("\r", ""), strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return True
