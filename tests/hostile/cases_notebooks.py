"""Notebooks that are no notebooks, and notebooks that lie about their cells."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from case import Case, Json, holding
from hostile_course import ANSWERS, SETTINGS, notebook, wrong
from small_course import NOTEBOOK, cell_id, cell_of

from autograder.checks import Status

CHECK, ANSWER = cell_id("check", SETTINGS), cell_id("answer", SETTINGS)
HONEST = json.dumps(notebook()).encode()
RIGHT = ANSWERS[SETTINGS]
DEEP = 10_000


def _nested(value: str) -> bytes:
    """Right answers in a notebook whose metadata hold something that is nested very deeply."""
    return HONEST.replace(b'"metadata": {"kernelspec"', b'"metadata": {"x": ' + value.encode() + b', "kernelspec"', 1)


def _large(folder: Path) -> None:
    path = folder / f"{NOTEBOOK}.ipynb"
    path.write_bytes(HONEST)
    os.truncate(path, 50 << 20)


#: Bytes in the place of a notebook, and what is said of them.
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "nb-empty": (b"", "empty file"),
    "nb-cut-off": (HONEST[:-40], "not valid JSON"),
    "nb-merge-conflict": (b"<<<<<<< HEAD\n" + HONEST, "not valid JSON"),
    "nb-zip": (b"PK\x03\x04" + HONEST, "not"),
    "nb-nested-lists": (_nested("[" * DEEP + "]" * DEEP), "nested too deeply"),
    "nb-nested-maps": (_nested('{"a":' * DEEP + "1" + "}" * DEEP), "nested too deeply"),
    "nb-huge-number": (_nested("9" * 100_000), "number"),
    "nb-not-utf-8": (HONEST.replace(b"# Maps", b"\xff\xfe\xfd"), "not UTF-8"),
    "nb-cells-a-map": (json.dumps({**notebook(), "cells": {"0": notebook()["cells"]}}).encode(), "no list of cells"),
    "nb-cells-a-text": (json.dumps({**notebook(), "cells": "cells"}).encode(), "no list of cells"),
    "nb-format-3": (json.dumps({"nbformat": 3, "worksheets": [{"cells": notebook()["cells"]}]}).encode(), "no list"),
    "nb-a-list": (json.dumps(notebook()["cells"]).encode(), "no list of cells"),
    "nb-many-cells": (json.dumps({**notebook(), "cells": [{"source": ""}] * 6000}).encode(), "6000 cells"),
    "nb-source-a-number": (json.dumps({"cells": [{"cell_type": "code", "source": 7}]}).encode(), "cell 1"),
    "nb-nan-for-a-cell": (json.dumps({**notebook(), "cells": [float("nan")]}).encode(), "cell 1"),
    "nb-html": (b"<html><script>alert(1)</script></html>", "not valid JSON"),
    "nb-pickle": (b"\x80\x04\x95cposix\nsystem\n(S'touch /tmp/x'\ntR.", "not"),
}  # fmt: skip


def _mark(identity: str, **marks: Any) -> Callable[[Json], None]:
    return lambda document: cell_of(document, identity)["metadata"]["nbgrader"].update(marks)


def _cell(identity: str, **values: Any) -> Callable[[Json], None]:
    return lambda document: cell_of(document, identity).update(values)


def _everywhere(**metadata: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        for cell in document["cells"]:
            cell["metadata"].update(copy.deepcopy(metadata))

    return change


def _outputs(text: str) -> Callable[[Json], None]:
    """Outputs that pretend to be the grader's."""
    result = {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}, "execution_count": 1}

    def change(document: Json) -> None:
        for cell in document["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = [copy.deepcopy(result)]

    return change


def _append(*cells: Json) -> Callable[[Json], None]:
    return lambda document: document["cells"].extend(copy.deepcopy(list(cells)))


def _code(source: str) -> Callable[[Json], None]:
    """Python that would be run by a grader who runs notebooks, before everything else."""
    cell = {"cell_type": "code", "id": "evil", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    return lambda document: document["cells"].insert(0, cell)


def _copy_check(document: Json) -> None:
    document["cells"].append(copy.deepcopy(cell_of(document, CHECK)))


def _bare(document: Json) -> None:
    for cell in document["cells"]:
        cell["metadata"] = {}


def _metadata(**values: Any) -> Callable[[Json], None]:
    return lambda document: document["metadata"].update(values)


def _bonus(**marks: Any) -> Json:
    known = {"grade": True, "solution": False, "locked": True, "task": False, "schema_version": 3, "points": 3, **marks}
    return {"cell_type": "code", "metadata": {"nbgrader": known}, "source": "3.0"}


def _plain(source: str) -> Json:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def _lists(depth: int) -> Any:
    """A list in a list in a list."""
    nested: Any = []
    for _ in range(depth):
        nested = [nested]
    return nested


#: What is done to a notebook with wrong answers, and what is noted.  The first are those of the reference.
TAMPERING: dict[str, tuple[Callable[[Json], None], str]] = {
    "ref-skip-execution": (_everywhere(tags=["skip-execution"]), "tags"),
    "ref-stubbed-kernel": (_code("get_ipython().kernel.do_execute = lambda *a, **k: {'status': 'ok'}"), ""),
    "ref-display-hook-4": (_code("import sys; sys.displayhook = lambda value: print('4')"), ""),
    "ref-display-hook-minus-1": (_code("import sys; sys.displayhook = lambda value: print('-1')"), ""),
    "ref-always-equal": (_code("class Yes(str):\n    __eq__ = __contains__ = lambda *a: True"), ""),
    "ref-no-asserts": (_code("get_ipython().ast_transformers.append(RemoveAsserts())"), ""),
    "ref-read-the-notebook": (_code("print(open('01-maps.ipynb').read())"), ""),
    "ref-open-the-gradebook": (_code("import sqlite3; sqlite3.connect('../../../gradebook.db')"), ""),
    "ref-exit": (_code("import os; os._exit(0)"), ""),
    "ref-endless": (_code("while True:\n    pass"), ""),
    "ref-more-than-all": (_outputs("100.0"), ""),
    "ref-copied-check": (_copy_check, "stands more than once"),
    "ref-grade-false": (_mark(CHECK, grade=False), "marks"),
    "ref-solution-true": (_mark(CHECK, solution=True), "marks"),
    "ref-edited-check": (_cell(CHECK, source="3.0"), "was changed"),
    "ref-edited-points": (_mark(CHECK, points=1000), "marks"),
    "ref-other-kernel": (_metadata(kernelspec={"name": "bash", "display_name": "x", "language": "x"}), ""),
    "ref-no-metadata": (_bare, "was missing"),
    "ref-orphan": (_code("import subprocess; subprocess.Popen(['sleep', '300'])"), ""),
    "lie-negative-points": (_mark(CHECK, points=-3), "marks"),
    "lie-nan-points": (_mark(CHECK, points=float("nan")), "marks"),
    "lie-infinite-points": (_mark(CHECK, points=float("inf")), "marks"),
    "lie-points-as-text": (_mark(CHECK, points="3.0"), "marks"),
    "lie-unlocked": (_mark(CHECK, locked=False), "marks"),
    "lie-locked-answer": (_mark(ANSWER, locked=True, grade=True, points=3), "marks"),
    "lie-task": (_mark(CHECK, task=True), "marks"),
    "lie-checksum": (_mark(CHECK, checksum="0" * 32), ""),
    "lie-schema-99": (_mark(CHECK, schema_version=99), ""),
    "lie-schema-text": (_mark(CHECK, schema_version="x"), ""),
    "lie-check-as-markdown": (_cell(CHECK, cell_type="markdown"), "markdown cell"),
    "lie-answer-as-raw": (_cell(ANSWER, cell_type="raw"), "raw cell"),
    "lie-unknown-cell-type": (_cell(CHECK, cell_type="heading"), "raw cell"),
    "lie-nan-output": (_outputs("nan"), ""),
    "lie-true-output": (_outputs("True"), ""),
    "lie-numpy-output": (_outputs("np.float64(3.0)"), ""),
    "lie-bonus": (_append(_bonus(grade_id="bonus", points=100)), "does not know"),
    "lie-id-number": (_append(_bonus(grade_id=7)), ""),
    "lie-id-none": (_append(_bonus(grade_id=None)), ""),
    "lie-id-huge": (_append(_bonus(grade_id="x" * 100_000)), "does not know"),
    "lie-id-path": (_append(_bonus(grade_id="../../gradebook.db")), "does not know"),
    "lie-id-markup": (_append(_bonus(grade_id="<script>alert(1)</script>")), "does not know"),
    "lie-ids-everywhere": (_append(*[_bonus(grade_id=CHECK)] * 500), "stands more than once"),
    "lie-our-notes": (_metadata(autograder={"unreadable": "", "notes": [["x", "y", "z"], 3], "individual": [1]}), ""),
    "lie-our-notes-deep": (_metadata(autograder={"unreadable": {"a": [[[[[[]]]]]]}, "notes": None}), ""),
    "lie-nbformat": (lambda document: document.update(nbformat=99, nbformat_minor=-1), ""),
    "lie-cell-ids": (_append({"id": CHECK, "cell_type": "code", "metadata": {}, "source": "3.0"}), ""),
    "lie-attachments": (_append({"cell_type": "markdown", "metadata": {}, "source": "", "attachments": {"/": 1}}), ""),
    "lie-points-of-400-digits": (_mark(CHECK, points=10**400), "marks"),
    "lie-points-in-lists": (_mark(CHECK, points=_lists(500)), "marks"),
    "lie-locked-in-lists": (_mark(ANSWER, locked=_lists(500)), "marks"),
    "lie-tags-in-lists": (lambda document: cell_of(document, CHECK)["metadata"].update(tags=_lists(500)), "tags"),
    "lie-id-in-deep-metadata": (lambda document: cell_of(document, CHECK)["metadata"].update(x=_lists(700)), ""),
    "lie-marks-a-list": (lambda document: cell_of(document, CHECK)["metadata"].update(nbgrader=[1]), "was missing"),
    "lie-metadata-a-text": (_cell(CHECK, metadata="nbgrader"), "was missing"),
    "lie-our-sheet-deep": (_metadata(individual=_lists(700)), ""),
    "lie-our-sheet-wide": (_metadata(individual={"values": {str(n): {"x": 1} for n in range(50_000)}}), ""),
    "lie-our-notes-very-deep": (_metadata(autograder={"unreadable": _lists(700), "notes": _lists(700)}), ""),
    "lie-id-look-alike": (_append(_bonus(grade_id=CHECK.replace("e", "\u0435"))), "does not know"),
    "lie-id-hidden": (_append(_bonus(grade_id=f"{CHECK}\u200b")), "does not know"),
    "lie-id-surrogate": (_append(_bonus(grade_id=f"{CHECK}\ud800")), "does not know"),
    "lie-id-escapes": (_append(_bonus(grade_id="\x1b[2J\x1b]0;pwned\x07")), "does not know"),
    "lie-other-cell": (_append(_plain(f"%%manifest settings.yaml\n{RIGHT}")), "another cell writes"),
    "lie-answer-in-check": (_cell(CHECK, source=f"%%manifest settings.yaml\n{RIGHT}"), "was changed"),
    "lie-check-of-another": (_cell(CHECK, source='check("maps/limits")'), "was changed"),
    "lie-script-in-text": (_append({**_plain("<script>pwned()</script>"), "cell_type": "markdown"}), ""),
    "lie-script-in-raw": (_append({**_plain("<img src=x onerror=pwned()>"), "cell_type": "raw"}), ""),
    "lie-picture-missing": (_append({**_plain("![x](attachment:gone.png)"), "cell_type": "markdown"}), ""),
    "lie-picture-evil": (
        _append({**_plain("![x](attachment:a)"), "cell_type": "markdown", "attachments": {"a": {"text/html": "<b>"}}}),
        "",
    ),
    "lie-formulas": (_append({**_plain("$\\href{javascript:pwned()}{x}$"), "cell_type": "markdown"}), ""),
    "lie-quotations": (_append({**_plain("> " * 20_000), "cell_type": "markdown"}), ""),
    "lie-widget-state": (_metadata(widgets={"application/vnd.jupyter.widget-state+json": {"state": "x"}}), ""),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """The cases of this file."""
    yield Case("nb-50-mb", _large, Status.UNREADABLE, "50 MiB")
    for name, (content, said) in UNREADABLE.items():
        yield Case(name, holding(content), Status.UNREADABLE, said)
    for name, (change, noted) in TAMPERING.items():
        document = wrong()
        change(document)
        status = Status.NOT_SUBMITTED if name == "ref-no-metadata" else Status.GRADED
        yield Case(name, holding(document), status, noted)


#: Oddities in notebooks with right answers, which cost nothing.
HARMLESS: dict[str, bytes] = {
    "odd-bom": b"\xef\xbb\xbf" + HONEST,
    "odd-utf-16": json.dumps(notebook()).encode("utf-16"),
    "odd-lone-surrogate": HONEST.replace(b"# Maps", b"\\\\ud800 \\\\udfff \\ud800"),
    "odd-nan-metadata": _nested("NaN"),
    "odd-nested-50": _nested("[" * 50 + "]" * 50),
    "odd-repeated-keys": HONEST.replace(b'{"cells"', b'{"cells": [], "cells"', 1),
    "odd-sources-as-lists": json.dumps(
        {**notebook(), "cells": [{**c, "source": c["source"].splitlines(keepends=True)} for c in notebook()["cells"]]}
    ).encode(),
    "odd-reversed": json.dumps({**notebook(), "cells": notebook()["cells"][::-1]}).encode(),
    "odd-utf-32": json.dumps(notebook()).encode("utf-32"),
    "odd-points-twice": HONEST.replace(b'"points": 3', b'"points": 1000, "points": 3'),
    "odd-nested-700": _nested("[" * 700 + "]" * 700),
    "odd-no-nbformat": json.dumps({"cells": notebook()["cells"]}).encode(),
    "odd-windows-lines": json.dumps(notebook(), indent=1).replace("\n", "\r\n").encode(),
}
