"""The student's version of a notebook, made by nbgrader's own steps as the course configures them.

The gradebook keeps cells as they are released, with checksums of that version; made in any other way they would not
agree with those of a later ``nbgrader generate_assignment``.
"""

from __future__ import annotations

import contextlib
import copy
from typing import TYPE_CHECKING, Any

from autograder.grading.assignment import Assignment, Notebook
from autograder.grading.configuration import Configuration

if TYPE_CHECKING:
    from nbformat import NotebookNode


def released(configuration: Configuration, assignment: Assignment, notebook: Notebook) -> NotebookNode:
    """The notebook as ``nbgrader generate_assignment`` hands it to the step that fills the gradebook."""
    import nbformat
    from nbgrader.converters import GenerateAssignment
    from nbgrader.preprocessors import SaveCells
    from traitlets.utils.importstring import import_item

    steps = configuration.config.get("GenerateAssignment", {}).get("preprocessors")
    if not isinstance(steps, list):
        steps = GenerateAssignment.preprocessors.default_args[0]
    document = copy.deepcopy(notebook.document)
    node: Any = nbformat.from_dict(document)  # type: ignore[no-untyped-call]  # nbformat has no types
    resources: dict[str, Any] = {
        "unique_key": notebook.name,
        "nbgrader": {"assignment": assignment.name, "notebook": notebook.name, "student": ".", "db_url": ""},
    }
    with contextlib.chdir(configuration.course):  # where nbgrader is when it takes these steps
        for step in steps:
            kind = import_item(step) if isinstance(step, str) else step
            if issubclass(kind, SaveCells):
                break
            node, resources = kind(config=configuration.config)(node, resources)
    return node
