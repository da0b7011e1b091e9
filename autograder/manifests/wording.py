"""What is said of values that do not fit a schema: what was wanted, what was found, what to do about it."""

from __future__ import annotations

import re
from typing import Any, Final

#: What is wanted, by the JSON type.
WANTED: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map of fields",
    "array": "a list",
}
_ALMOST_QUANTITY: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?) ?([kmgtpe]?)(i?)b?", re.ASCII | re.IGNORECASE)
_LONGEST_SHOWN: Final = 40


def type_of(value: Any) -> str:
    """The JSON type of a value, as schemas name it."""
    if isinstance(value, bool):
        return "boolean"
    return {dict: "object", list: "array", str: "string", int: "integer"}.get(type(value), "number")


def in_words(value: Any, raw: str | None) -> str:
    """A value in words; ``raw`` is how it was written."""
    if isinstance(value, dict):
        return "a map of fields"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the string {shown(value)}"
    plain = ("true" if value else "false") if isinstance(value, bool) else f"{value}"
    text = f"`{raw}`, which YAML reads as {plain}" if raw is not None and raw.lower() != plain else plain
    return text if isinstance(value, bool) or text != plain else f"the number {plain}"


def type_hint(types: list[str], value: Any, raw: str | None) -> str:
    """What to do about a value of the wrong type; empty where there is no likely cause."""
    given = type_of(value)
    if types == ["string"] and given in ("boolean", "integer", "number"):
        return f'put it in quotes: "{raw}"'
    if types == ["string"] and given == "object":
        return "give it one value, or put its fields one level higher"
    if "array" in types:
        return "begin each entry of the list with a dash: `- ...`"
    if "object" in types and given == "array":
        return "take the dashes away"
    if given != "string":
        return ""
    if "object" in types:
        return (
            "put a space after the colon" if re.match(r"[\w./-]+:\S", value) else "write `name: value` pairs below it"
        )
    readable = r"-?\d+" if types == ["integer"] else r"-?\d+(\.\d+)?" if "number" in types else "true|false"
    return "take the quotes away" if re.fullmatch(readable, value) else ""


def quantity_hint(text: str) -> str:
    """The quantity that was most likely meant: ``64MB`` is ``64M``, ``1gib`` is ``1Gi``, ``0,5`` is ``0.5``."""
    match = _ALMOST_QUANTITY.fullmatch(text)
    if not match:
        return "write a number and a unit: 500m, 0.5, 128Mi, 1Gi"
    number, unit, binary = match.groups()
    letter = unit.lower() if unit in "kK" and not binary else unit.upper()
    return f'did you mean "{number.replace(",", ".")}{letter}{binary.lower()}"?'


def shown(text: str) -> str:
    """A text in quotes, shortened if it is long."""
    return f'"{cut(text)}"'


def cut(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
