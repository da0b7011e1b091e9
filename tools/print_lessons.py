"""Makes pages of the lessons to read without Jupyter or to print: HTML, and PDF where there is a browser.

    python tools/print_lessons.py [LESSON...] [--to FOLDER] [--solutions] [--browser PROGRAM]

An HTML file needs no other file and no network.  For PDF a Chromium, Chrome or Edge prints it; without one the HTML
files are made all the same, and any browser can print them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograder import _fastimport  # noqa: E402, F401  before the first import of nbformat
from autograder.notebook.cells import answer_id, check_id  # noqa: E402
from autograder.notebook.releasing import PutStarters  # noqa: E402

SOURCE: Final = ROOT / "course" / "source"
FOLDER: Final = ROOT / "build" / "lessons"
BROWSERS: Final = (
    "chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)  # fmt: skip
PRINTING_SECONDS: Final = 120
#: On paper nothing can be scrolled: long lines are wrapped, and pictures keep to the width of the page.
STYLE: Final = """
<style>
@page { size: A4; margin: 14mm 12mm; }
body { max-width: 60rem; margin: 0 auto; }
pre, code { white-space: pre-wrap !important; overflow-wrap: anywhere !important; word-break: normal !important; }
.jp-OutputArea-output, .jp-RenderedHTMLCommon, .jp-Editor, .highlight { overflow: visible !important; max-width: 100%; }
.jp-RenderedHTMLCommon table { table-layout: auto; max-width: 100%; overflow-wrap: anywhere; white-space: normal; }
.jp-OutputArea-output svg { max-width: 100%; height: auto; }
.jp-OutputArea-output svg, tr, blockquote { break-inside: avoid; }
h1, h2, h3, h4 { break-after: avoid; }
@media print {
  pre { font-size: 7.5pt !important; line-height: 1.3 !important; }
  .jp-Notebook, .jp-Cell, body { padding-left: 0 !important; padding-right: 0 !important; }
  .jp-InputPrompt, .jp-OutputPrompt { display: none !important; }
}
</style>
"""
_SCRIPT: Final = re.compile(r"<script.*?</script>", re.DOTALL)
_TITLE: Final = re.compile(r"^# (.+)$", re.MULTILINE)


class NoBrowser(Exception):
    """There is no browser that could print; the message says what to do."""


def page(lesson: str, *, solutions: bool = False) -> str:
    """A lesson as one HTML file; without ``solutions`` its exercises are as students find them."""
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.read(SOURCE / lesson / f"{lesson}.ipynb", as_version=4)
    if not solutions:
        notebook = without_solutions(notebook)
    title = _TITLE.search(notebook.cells[0].source)
    resources = {"metadata": {"name": title[1] if title else lesson}}
    text, _ = HTMLExporter().from_notebook_node(notebook, resources)
    return _SCRIPT.sub("", text).replace("</head>", f"{STYLE}</head>", 1)


def without_solutions(notebook: Any) -> Any:
    """The notebook with the starters in place of the answers, and without what the answers brought about."""
    notebook, _ = PutStarters().preprocess(notebook, {})
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith((answer_id(""), check_id(""))):
            cell.outputs, cell.execution_count = [], None
    return notebook


def browser(wanted: str | None = None) -> str:
    """The program that prints.  Raises ``NoBrowser``."""
    for name in (wanted,) if wanted else BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    raise NoBrowser(
        f"there is no {wanted}" if wanted else "no Chromium, Chrome or Edge was found; name one with --browser, "
        "or open the HTML files in any browser and print them from there"
    )  # fmt: skip


def print_page(html: Path, program: str) -> Path:
    """Print an HTML file to a PDF file beside it.  Raises ``NoBrowser`` if the program cannot."""
    pdf = html.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program, "--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={profile}",
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            f"--print-to-pdf={pdf}", html.resolve().as_uri(),
        ]  # fmt: skip
        pdf.unlink(missing_ok=True)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PRINTING_SECONDS, check=False)
    if not pdf.exists():
        said = (ran.stderr.strip().splitlines() or ["nothing"])[-1]
        raise NoBrowser(f"{program} did not print {html.name}, and said: {said}")
    return pdf


def lessons() -> list[str]:
    """The names of all lessons, in order."""
    return sorted(path.stem for path in SOURCE.glob("*/*.ipynb"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pages of the lessons named, else of all; 0 if there is a PDF of each too, else 1."""
    parser = argparse.ArgumentParser(description="Make pages of the lessons: HTML, and PDF where there is a browser.")
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="such as 07-pods; without any, all")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="FOLDER", help="where the pages go")
    parser.add_argument("--solutions", action="store_true", help="with the answers to the exercises")
    parser.add_argument("--browser", metavar="PROGRAM", help="the Chromium, Chrome or Edge that prints")
    args = parser.parse_args(arguments)
    unknown = [lesson for lesson in args.lessons if lesson not in lessons()]
    if unknown:
        parser.error(f"there is no lesson {unknown[0]!a}; there are {', '.join(lessons())}")
    args.to.mkdir(parents=True, exist_ok=True)
    pages = []
    for lesson in args.lessons or lessons():
        html = args.to / f"{lesson}.html"
        html.write_text(page(lesson, solutions=args.solutions), encoding="utf-8", newline="\n")
        pages.append(html)
        print(html, flush=True)
    try:
        program = browser(args.browser)
        for html in pages:
            print(print_page(html, program), flush=True)
    except (NoBrowser, subprocess.TimeoutExpired) as error:
        print(f"no PDF: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
