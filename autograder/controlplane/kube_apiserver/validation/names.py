"""Forms that names and short texts must have: DNS names, label keys and values, ports, environment variables.

Each check takes a text and gives the list of what is wrong with it, in Kubernetes' words; an empty list is good.
Lengths are in bytes. Source: apimachinery/pkg/util/validation and apimachinery/pkg/api/validate/content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

NameCheck = Callable[[str], list[str]]

LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN: Final = rf"{LABEL}(\.{LABEL})*"
WILDCARD: Final = rf"\*\.{SUBDOMAIN}"
UNDERSCORE_LABEL: Final = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
UNDERSCORE_SUBDOMAIN: Final = rf"{UNDERSCORE_LABEL}(\.{UNDERSCORE_LABEL})*"
LABEL_KEY: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE: Final = f"({LABEL_KEY})?"
CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
HEADER_NAME: Final = "[-A-Za-z0-9]+"
HTTP_PATH: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
PERCENT: Final = "[0-9]+%"

LABEL_LENGTH: Final = 63
SUBDOMAIN_LENGTH: Final = 253

_LABEL = re.compile(LABEL)
_SUBDOMAIN = re.compile(SUBDOMAIN)
_LABEL_KEY = re.compile(LABEL_KEY)
_LABEL_VALUE = re.compile(LABEL_VALUE)

_WITHIN = "and must start and end with an alphanumeric character"
_LABEL_WORDS: Final = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_WITHIN}"
_SUBDOMAIN_WORDS: Final = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_WITHIN}"
)
_KEY_WORDS: Final = f"must consist of alphanumeric characters, '-', '_' or '.', {_WITHIN}"
_VALUE_WORDS: Final = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_WITHIN}"
)


def regex_error(words: str, pattern: str, *examples: str) -> str:
    """The sentence that names the pattern, with examples of what would match."""
    if not examples:
        return f"{words} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {listed}regex used for validation is '{pattern}')"


def between(low: int, high: int) -> str:
    """The sentence for a number out of range."""
    return f"must be between {low} and {high}, inclusive"


def dns_label(text: str) -> list[str]:
    """An RFC 1123 label, e.g. the name of a namespace or a container."""
    wrong = _too_long(text, LABEL_LENGTH)
    if not _LABEL.fullmatch(text):
        if _SUBDOMAIN.fullmatch(text):
            wrong.append("must not contain dots")
        else:
            wrong.append(regex_error(_LABEL_WORDS, LABEL, "my-name", "123-abc"))
    return wrong


def dns_subdomain(text: str, unit: str = "characters") -> list[str]:
    """An RFC 1123 subdomain, e.g. the name of most objects; ``unit`` is what the message counts its length in."""
    return _too_long(text, SUBDOMAIN_LENGTH, unit) + _unless(
        _SUBDOMAIN, text, lambda: regex_error(_SUBDOMAIN_WORDS, SUBDOMAIN, "example.com")
    )


def dns_subdomain_with_underscore(text: str) -> list[str]:
    """A subdomain whose labels may have underscores, as in a search path of DNS."""
    words = _SUBDOMAIN_WORDS.replace("'-' or", "'_', '-' or")
    return _too_long(text, SUBDOMAIN_LENGTH) + _unless(
        UNDERSCORE_SUBDOMAIN, text, lambda: regex_error(words, UNDERSCORE_SUBDOMAIN, "example.com")
    )


def wildcard_subdomain(text: str) -> list[str]:
    """A subdomain that begins with ``*.``."""
    words = (
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
    )
    return _too_long(text, SUBDOMAIN_LENGTH) + _unless(
        WILDCARD, text, lambda: regex_error(words, WILDCARD, "*.example.com")
    )


@lru_cache(maxsize=4096)
def label_key(text: str) -> list[str]:
    """A label key or other qualified name: a name, optionally after a subdomain and ``/``.

    The same few keys come again with every object, so that what was found is kept; the list is not to be changed.
    """
    prefix, slash, name = text.rpartition("/")
    examples = ("MyName", "my.name", "123-abc")
    if "/" in prefix:
        words = regex_error(_KEY_WORDS, LABEL_KEY, *examples)
        return [f"a valid label key {words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    wrong = []
    if slash and not prefix:
        wrong.append("prefix part must be non-empty")
    elif slash:
        wrong += [f"prefix part {sentence}" for sentence in dns_subdomain(prefix, unit="bytes")]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name.encode()) > LABEL_LENGTH:
        wrong.append(f"name part must be no more than {LABEL_LENGTH} bytes")
    if not _LABEL_KEY.fullmatch(name):
        wrong.append("name part " + regex_error(_KEY_WORDS, LABEL_KEY, *examples))
    return wrong


@lru_cache(maxsize=4096)
def label_value(text: str) -> list[str]:
    """The value of a label; the list is kept and not to be changed."""
    wrong = _too_long(text, LABEL_LENGTH, "bytes")
    if not _LABEL_VALUE.fullmatch(text):
        wrong.append(regex_error(_VALUE_WORDS, LABEL_VALUE, "MyValue", "my_value", "12345"))
    return wrong


def config_key(text: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    wrong = _too_long(text, SUBDOMAIN_LENGTH)
    wrong += _unless(CONFIG_KEY, text, lambda: regex_error(words, CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if text in (".", ".."):
        wrong.append(f"must not be '{text}'")
    elif text.startswith(".."):
        wrong.append("must not start with '..'")
    return wrong


def environment_name(text: str) -> list[str]:
    """The name of an environment variable."""
    if not text:
        return ["environment variable name must be non-empty"]
    if all(" " <= char <= "~" and char != "=" for char in text):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def header_name(text: str) -> list[str]:
    """The name of an HTTP header."""
    words = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return _unless(HEADER_NAME, text, lambda: regex_error(words, HEADER_NAME, "X-Header-Name"))


def port_name(text: str) -> list[str]:
    """The IANA name of a port."""
    wrong = _too_long(text, 15)
    if not re.fullmatch("[-a-z0-9]+", text):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in text:
        wrong.append("must not contain consecutive hyphens")
    if text and "-" in (text[0], text[-1]):
        wrong.append("must not begin or end with a hyphen")
    return wrong


def percentage(text: str) -> list[str]:
    """A percentage, e.g. ``25%``."""
    words = "a valid percent string must be a numeric string followed by an ending '%'"
    return _unless(PERCENT, text, lambda: regex_error(words, PERCENT, "1%", "93%"))


def port_number(number: int) -> list[str]:
    """A port."""
    return in_range(number, 1, 65535)


def user_id(number: int) -> list[str]:
    """The id of a user or a group."""
    return in_range(number, 0, 2**31 - 1)


def in_range(number: int, low: int, high: int) -> list[str]:
    """A number within limits."""
    return [] if low <= number <= high else [between(low, high)]


def path_segment(text: str) -> list[str]:
    """A name that may stand in a URL path, for kinds whose names are otherwise free (RBAC)."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in text]


def prefix_of(check: NameCheck) -> NameCheck:
    """The check for a ``generateName``: a dash may stand at the end, as more will follow it."""

    def check_prefix(text: str) -> list[str]:
        return check(text[:-2] + "a" if len(text) > 1 and text.endswith("-") else text)

    return check_prefix


def _too_long(text: str, limit: int, unit: str = "characters") -> list[str]:
    return [f"must be no more than {limit} {unit}"] if len(text.encode()) > limit else []


def _unless(pattern: str | re.Pattern[str], text: str, sentence: Callable[[], str]) -> list[str]:
    return [] if re.fullmatch(pattern, text) else [sentence()]
