"""Who the students are: names, mail addresses and ids that the gradebook has and a folder's name does not tell."""

from __future__ import annotations

from pathlib import Path

from autograder.grading.configuration import Configuration
from autograder.grading.gradebook import GradebookError
from autograder.grading.reports.results import Student


def people(configuration: Configuration) -> dict[str, Student]:
    """The students that the gradebook knows, by id; none if there is no gradebook.  Raises ``GradebookError``."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    url = make_url(configuration.db_url)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        return {}
    engine = create_engine(url)
    query = text("SELECT id, first_name, last_name, email, lms_user_id FROM student")
    try:
        with engine.connect() as connection:
            rows = connection.execute(query).all()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise GradebookError(f"the names of the students cannot be read from the gradebook: {said}") from error
    finally:
        engine.dispose()
    return {str(row[0]): Student(*(str(value or "").strip() for value in row)) for row in rows}
