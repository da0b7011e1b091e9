"""What nbgrader leaves in an answer cell for students: the exercise's starter in the place of the solution."""

from __future__ import annotations

from typing import Any, Final

from nbgrader.preprocessors import ClearSolutions

from autograder.exercises import Form, exercise_ids, load
from autograder.notebook.cells import answer_id

#: What stands in an answer cell that belongs to no exercise.
EMPTY: Final = "# your answer here"
_MAGICS: Final = tuple(f"%%{form.value} " for form in Form)


class PutStarters(ClearSolutions):  # type: ignore[misc]  # nbgrader has no types
    """As ``ClearSolutions``; but into an answer goes only what an answer may hold."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Called by nbgrader for each cell."""
        if cell.cell_type != "code" or not cell.source.startswith(_MAGICS):
            return super().preprocess_cell(cell, resources, cell_index)
        usual: dict[str, str] = self.code_stub  # type: ignore[has-type]
        stub = starter(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if self.begin_solution_delimeter not in cell.source:  # then nbgrader puts the stub in the place of all of it
            stub = f"{cell.source.partition(chr(10))[0]}\n{stub}"
        self.code_stub = dict.fromkeys(usual, stub)
        try:
            return super().preprocess_cell(cell, resources, cell_index)
        finally:
            self.code_stub = usual


def starter(grade_id: str) -> str:
    """What a student finds in the answer cell of this name."""
    exercise = next((known for known in exercise_ids() if answer_id(known) == grade_id), None)
    return load(exercise).starter.strip("\n") if exercise else EMPTY
