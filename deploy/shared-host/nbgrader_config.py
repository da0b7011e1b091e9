"""nbgrader for everybody on the host: where assignments are fetched from and handed in."""

c = get_config()  # noqa: F821  whoever reads this file provides it

c.Exchange.root = "/srv/exchange"
c.CourseDirectory.course_id = "kubernetes"
# Beside the notebook lie the answers as files, which are in the notebook too.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc*", "__pycache__", "work"]
# Students write there with accounts of their own, and with any program they like.
c.ExchangeFactory.collect = "autograder.grading.exchange.CarefulCollect"
