"""The frame of our pages: one file each that works offline, runs nothing, and escapes whatever it quotes.

The content security policy allows the page its one style sheet, known by its digest, and nothing else: no script, no
picture, no frame, no form, no address elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from autograder.grading.reports.cleaning import cut, one_line, quoted, visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).with_name("templates")


def page(template: str, **values: Any) -> str:
    """A page from the template of this name."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    rendered: str = _environment().get_template(template).render(style=style, policy=policy, **values)
    return rendered


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "visible": visible, "quoted": quoted, "one_line": one_line, "cut": cut, "points": points, "percent": percent,
    }  # fmt: skip
    return environment


@cache
def _style() -> str:
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


def points(value: float | None) -> str:
    """Points as people write them; a dash for none."""
    return "–" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def percent(value: float | None) -> str:
    """A share as a percentage; a dash for none."""
    return "–" if value is None else f"{value:.0%}".replace("%", " %")
