"""Settings of nbgrader for this course; nbgrader and ``autograder grade`` read them.

Answers are data: they are judged by the engine that ``check(...)`` and ``autograder grade`` use, and no code of a
student is ever run.
"""

import os
import shutil
import sys
import warnings
from pathlib import Path

from sqlalchemy.exc import SAWarning

course = Path(__file__).parent
ours = "autograder.grading.preprocessors"
theirs = "nbgrader.preprocessors"

c = get_config()  # noqa: F821  whoever reads this file provides it

c.CourseDirectory.root = str(course)
c.CourseDirectory.course_id = "kubernetes"
# A gradebook in use by another program is waited for, instead of given up after five seconds.
c.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}?timeout=60"
# Beside the notebooks lie the answers of whoever ran them; they are not handed around.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc*", "__pycache__", "work"]
c.Exchange.root = str(course / "exchange")

c.GenerateAssignment.preprocessors = [
    f"{theirs}.IncludeHeaderFooter",
    f"{theirs}.LockCells",
    "autograder.notebook.releasing.PutStarters",
    f"{theirs}.ClearOutput",
    f"{theirs}.CheckCellMetadata",
    f"{theirs}.ComputeChecksums",
    f"{theirs}.SaveCells",
    f"{theirs}.ClearHiddenTests",
    f"{theirs}.ClearMarkScheme",
    f"{theirs}.ComputeChecksums",
    f"{theirs}.CheckCellMetadata",
]

c.Autograde.exporter_class = f"{ours}.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    f"{ours}.RestoreMetadata",
    f"{theirs}.ClearOutput",
    f"{theirs}.DeduplicateIds",
    f"{theirs}.OverwriteKernelspec",
    f"{theirs}.OverwriteCells",
    f"{theirs}.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    f"{ours}.EngineGrade",
    f"{ours}.SaveVerdicts",
    f"{ours}.LatePenalties",
    f"{theirs}.CheckCellMetadata",
]

# In feedback and in formgrader a student's Markdown is text with marks: no HTML of theirs, no script, no picture of
# somewhere else.
c.HTMLExporter.filters = {"markdown2html": "autograder.grading.harmless_markdown.markdown2html"}

# What was not judged has an empty cell there, and not a 0.
c.ExportApp.plugin_class = "autograder.grading.gradebook_csv.GradesCsv"

# To make a gradebook nbgrader starts the program alembic, which stands beside the Python that runs nbgrader.
if shutil.which("alembic") is None:
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

# nbgrader makes new submissions in an order that SQLAlchemy remarks upon; they are stored all the same.
warnings.filterwarnings("ignore", "Object of type <Submitted", SAWarning)
