"""The table of what is supported is what the code says today."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_document_is_up_to_date() -> None:
    render = runpy.run_path(str(ROOT / "tools" / "document_api.py"))["render"]
    committed = (ROOT / "docs" / "api-support.md").read_text(encoding="utf-8")
    assert committed == render(), "run: python tools/document_api.py"
