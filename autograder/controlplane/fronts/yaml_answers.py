"""Answers in YAML, spelt as a real API server spells them: keys in order, quotes where Go's YAML wants them."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

#: Words that are no text to Go's reader of YAML, beside those that are none to Python's.
_NO_TEXT: Final = re.compile(
    r"[yYnN]|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?0o[0-7_]+|[-+]?0[xX][0-9a-fA-F_]+"
)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes text of several lines as a block, and in double quotes what would be read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written out, however often it comes."""
        return True


def _represented(dumper: Any, text: str) -> Any:
    style: str | None = "|"
    if "\n" not in text:
        read = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
        plain = read in _TEXT and not _NO_TEXT.fullmatch(text)
        style = None if plain else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_RESOLVER: Final[Any] = yaml.resolver.Resolver()
#: What Python reads as text, or quotes by itself where it does not.
_TEXT: Final = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:yaml")
_Dumper.add_representer(str, _represented)


def dump(document: Any) -> bytes:
    """The document in YAML."""
    text: str = yaml.dump(
        _in_order(document), Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True
    )
    return text.encode("utf-8", "surrogatepass")


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=_place)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _place(key: str) -> list[tuple[int, ...]]:
    """Where a key stands: signs before digits before letters, and numbers by their value."""
    return [(ord("0"), int(run)) if run.isdigit() else (ord(run) + _LETTERS * run.isalpha(),) for run in _runs(key)]


def _runs(key: str) -> list[str]:
    return re.findall(r"[0-9]+|[^0-9]", key, re.DOTALL)


#: More than any sign.
_LETTERS: Final = 0x110000
