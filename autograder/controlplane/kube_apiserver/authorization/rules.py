"""What one RBAC rule allows, and whether some rules cover others.

A rule is a ``PolicyRule`` as JSON has it.  Sources: pkg/apis/rbac/v1/evaluation_helpers.go and
component-helpers/auth/rbac/validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.kube_apiserver.authorization.action import Action

Rule = dict[str, Any]

ALL: Final = "*"


def allows(rule: Rule, action: Action) -> bool:
    """Whether a rule allows an action."""
    verbs = rule.get("verbs") or ()
    if ALL not in verbs and action.verb not in verbs:
        return False
    if action.path:
        return any(_path_matches(url, action.path) for url in rule.get("nonResourceURLs", ()))
    groups = rule.get("apiGroups", ())
    if ALL not in groups and action.group not in groups:
        return False
    names = rule.get("resourceNames")
    return _resource_matches(rule.get("resources", ()), action) and (not names or action.name in names)


def _path_matches(url: str, path: str) -> bool:
    return url in (ALL, path) or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))


def _resource_matches(resources: Sequence[str], action: Action) -> bool:
    if not action.subresource:
        return ALL in resources or action.resource in resources
    combined = f"{action.resource}/{action.subresource}"
    return any(one in (ALL, combined, f"*/{action.subresource}") for one in resources)


def uncovered(owned: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The smallest parts of the rules wanted that the rules owned do not cover."""
    owners = list(owned)
    parts = [part for rule in wanted for part in _parts(rule)]
    return [part for part in parts if not any(_covers(owner, part) for owner in owners)]


def _parts(rule: Rule) -> Iterator[Rule]:
    """A rule taken apart: one group, resource, verb and name each."""
    verbs = rule.get("verbs") or ()
    names = rule.get("resourceNames") or ()
    for group in rule.get("apiGroups", ()):
        for resource in rule.get("resources", ()):
            for verb in verbs:
                part = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                yield from ({**part, "resourceNames": [name]} for name in names) if names else (part,)
    for url in rule.get("nonResourceURLs", ()):
        yield from ({"verbs": [verb], "nonResourceURLs": [url]} for verb in verbs)


def _covers(owner: Rule, part: Rule) -> bool:
    """Whether one rule owned covers one part."""
    names = owner.get("resourceNames") or ()
    return (
        _has_all(owner.get("verbs") or (), part["verbs"])
        and _has_all(owner.get("apiGroups", ()), part.get("apiGroups", ()))
        and _has_resources(owner.get("resources", ()), part.get("resources", ()))
        and all(
            any(_path_matches(url, path) for url in owner.get("nonResourceURLs", ()))
            for path in part.get("nonResourceURLs", ())
        )
        and (not names or (bool(part.get("resourceNames")) and set(part["resourceNames"]) <= set(names)))
    )


def _has_all(owned: Sequence[str], wanted: Sequence[str]) -> bool:
    return ALL in owned or set(wanted) <= set(owned)


def _has_resources(owned: Sequence[str], wanted: Sequence[str]) -> bool:
    return _has_all(owned, wanted) or all(
        one in owned or ("/" in one and f"*/{one.split('/')[1]}" in owned) for one in wanted
    )


def described(rules: Iterable[Rule]) -> list[str]:
    """Rules as messages show them, sorted; those that differ in their verbs only are one."""
    merged: dict[tuple[Any, ...], Rule] = {}
    shown = []
    for rule in rules:
        if rule.get("nonResourceURLs"):
            shown.append(_compact(rule))
            continue
        key = (*rule["apiGroups"], *rule["resources"], tuple(rule.get("resourceNames", ())))
        known = merged.get(key)
        merged[key] = {**rule, "verbs": [*known["verbs"], *rule["verbs"]]} if known else rule
    return sorted({*shown, *(_compact(rule) for rule in merged.values())})


_SHOWN: Final = (
    ("APIGroups", "apiGroups"), ("Resources", "resources"), ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"), ("Verbs", "verbs"),
)  # fmt: skip


def _compact(rule: Rule) -> str:
    return "{" + ", ".join(f"{shown}:{quoted_list(rule[name])}" for shown, name in _SHOWN if rule.get(name)) + "}"


def quoted_list(texts: Iterable[str]) -> str:
    """Texts as Go prints a list of them: ``["get" "list"]``."""
    return "[" + " ".join(quoted(text) for text in texts) + "]"
