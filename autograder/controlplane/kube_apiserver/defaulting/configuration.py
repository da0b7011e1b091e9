"""What Secrets get when a field is left out, and where their plain text goes."""

from __future__ import annotations

import base64
from typing import Any


def default_secret(secret: dict[str, Any]) -> None:
    """The type is Opaque; ``stringData`` is for writing only and overwrites the same keys of ``data``."""
    secret["type"] = secret.get("type") or "Opaque"
    for key, text in (secret.pop("stringData", None) or {}).items():
        secret.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()
