"""Which of the Pod Security Standards a namespace asks for by its labels, and what is wrong with these labels.

Source: api/helpers.go of k8s.io/pod-security-admission.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path

PREFIX: Final = "pod-security.kubernetes.io/"
#: From the one that allows most to the one that allows least.
LEVELS: Final = ("privileged", "baseline", "restricted")
LATEST: Final = "latest"

_VERSION = re.compile(r"v1\.(0|[1-9][0-9]{0,17})", re.ASCII)
_LABELS = Path("metadata").child("labels")


@dataclass(frozen=True, slots=True)
class Standard:
    """A level of the standards, as it was in a version of Kubernetes (``latest`` or ``v1.x``)."""

    level: str = "privileged"
    version: str = LATEST

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"

    @property
    def minor(self) -> int | None:
        """The minor version; None for the latest."""
        return None if self.version == LATEST else int(self.version.removeprefix("v1."))

    def is_stricter_than(self, other: Standard) -> bool:
        """Whether the level allows less."""
        return LEVELS.index(self.level) > LEVELS.index(other.level)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a namespace refuses, and what its clients are warned of."""

    enforce: Standard = Standard()
    audit: Standard = Standard()
    warn: Standard = Standard()


def of_labels(labels: Mapping[str, str]) -> tuple[Policy, list[FieldError]]:
    """The policy of a namespace with these labels, and what is wrong with them.

    An unknown level counts as ``restricted`` for ``enforce``, and as ``privileged`` for the others. Without a level of
    its own, ``warn`` has that of ``enforce``.
    """
    errors: list[FieldError] = []
    found: dict[str, Standard] = {}
    for mode, otherwise in (("enforce", "restricted"), ("audit", "privileged"), ("warn", "privileged")):
        standard = Standard()
        if (level := labels.get(PREFIX + mode)) is not None:
            if level not in LEVELS:
                errors.append(_wrong(mode, level, f"must be one of {', '.join(LEVELS)}"))
            standard = replace(standard, level=level if level in LEVELS else otherwise)
        if (version := labels.get(f"{PREFIX}{mode}-version")) is not None:
            is_known = version == LATEST or bool(_VERSION.fullmatch(version))
            if not is_known:
                errors.append(_wrong(f"{mode}-version", version, 'must be "latest" or "v1.x"'))
            standard = replace(standard, version=version if is_known else LATEST)
        found[mode] = standard
    enforce, warn = found["enforce"], found["warn"]
    if labels.get(PREFIX + "enforce") in LEVELS and PREFIX + "warn" not in labels and enforce.is_stricter_than(warn):
        has_version = f"{PREFIX}warn-version" in labels
        found["warn"] = Standard(enforce.level, warn.version if has_version else enforce.version)
    return Policy(**found), errors


def _wrong(label: str, value: str, why: str) -> FieldError:
    return field.invalid(_LABELS.key(PREFIX + label), value, why)
