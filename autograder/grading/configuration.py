"""The course's settings of nbgrader, for the parts of nbgrader that are used without its command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from autograder.grading.assignment import BadCourse

if TYPE_CHECKING:
    from traitlets.config import Config

_FILE: Final = "nbgrader_config.py"


@dataclass(frozen=True)
class Configuration:
    """What ``nbgrader_config.py`` says, defaults filled in."""

    course: Path
    config: Config
    db_url: str
    course_id: str
    allow_python: bool = False  #: ``c.Autograder.allow_python``: run answers that are programs, locked in


def configuration(course: Path) -> Configuration:
    """The settings of a course; those of nbgrader where there is no ``nbgrader_config.py``."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    config = Config()
    if (course / _FILE).is_file():
        try:
            config = PyFileConfigLoader(_FILE, path=str(course)).load_config()
        except Exception as error:  # it is Python, and may raise anything
            raise BadCourse(f"{course / _FILE} cannot be used: {type(error).__name__}: {error}") from error
    own = config.get("CourseDirectory", {})
    db_url = own.get("db_url", f"sqlite:///{course / 'gradebook.db'}?timeout=60")
    allow_python = config.get("Autograder", {}).get("allow_python") is True
    return Configuration(course, config, str(db_url), str(own.get("course_id", "")), allow_python)
