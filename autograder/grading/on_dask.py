"""Work on a Dask cluster, through its ``concurrent.futures`` interface: more machines than one.

The workers need this package and the course's folder at the same path.  Dask tells nobody how long a task may take, so
that the limits of time are kept in the worker, by a process of its own for each task that it serves.
"""
