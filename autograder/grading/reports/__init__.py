"""What a graded class looks like on paper: one document of results, and everything that is written from it."""
