"""nbgrader for everybody on the host: where assignments are fetched from and handed in."""

c = get_config()  # noqa: F821  whoever reads this file provides it

c.Exchange.root = "/srv/exchange"
c.CourseDirectory.course_id = "kubernetes"
# Students write there with accounts of their own, and with any program they like.
c.ExchangeFactory.collect = "autograder.grading.exchange.CarefulCollect"
