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
    from nbgrader.preprocessors import SaveCells

    steps = _steps(configuration)
    saving = next((at for at, step in enumerate(steps) if issubclass(step, SaveCells)), len(steps))
    return _taken(steps[:saving], configuration, assignment, notebook)


def for_students(configuration: Configuration, assignment: Assignment, notebook: Notebook) -> NotebookNode:
    """The notebook as ``nbgrader generate_assignment`` writes it; the gradebook is left alone."""
    from nbgrader.preprocessors import SaveCells

    steps = [step for step in _steps(configuration) if not issubclass(step, SaveCells)]
    return _taken(steps, configuration, assignment, notebook)


def _steps(configuration: Configuration) -> list[Any]:
    """The classes of the steps that the course's settings name."""
    from nbgrader.converters import GenerateAssignment
    from traitlets.utils.importstring import import_item

    steps = configuration.config.get("GenerateAssignment", {}).get("preprocessors")
    if not isinstance(steps, list):
        steps = GenerateAssignment.preprocessors.default_args[0]
    with contextlib.chdir(configuration.course):
        return [import_item(step) if isinstance(step, str) else step for step in steps]


def _taken(steps: list[Any], configuration: Configuration, assignment: Assignment, notebook: Notebook) -> NotebookNode:
    import nbformat

    document = copy.deepcopy(notebook.document)
    node: Any = nbformat.from_dict(document)  # type: ignore[no-untyped-call]  # nbformat has no types
    resources: dict[str, Any] = {
        "unique_key": notebook.name,
        "nbgrader": {"assignment": assignment.name, "notebook": notebook.name, "student": ".", "db_url": ""},
    }
    with contextlib.chdir(configuration.course):  # where nbgrader is when it takes these steps
        for step in steps:
            node, resources = step(config=configuration.config)(node, resources)
    return node
