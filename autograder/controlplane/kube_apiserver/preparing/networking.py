"""Services and their endpoint slices."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]


def create_endpoint_slice(endpoint_slice: Obj) -> None:
    """The topology of older versions is not written any more."""
    for endpoint in endpoint_slice.get("endpoints") or ():
        endpoint.pop("deprecatedTopology", None)


def update_endpoint_slice(new: Obj, old: Obj) -> None:
    """As for a new slice, but only with other endpoints than before."""
    if new.get("endpoints") != old.get("endpoints"):
        create_endpoint_slice(new)


def finish_service(service: Obj) -> None:
    """An ExternalName Service has no internal traffic policy."""
    if service["spec"].get("type") == "ExternalName":
        service["spec"].pop("internalTrafficPolicy", None)
