"""Libraries that read foreign files in a process of their own, with bounds.

A reader of spreadsheets or Parquet may end its process when a file asks for it (an abort for lack
of memory is no exception), so it never runs in ours. `process` is our side: it starts the child,
gives it the file and receives plain values, one message after the other. `child` is the other side.
A *task* is a module of this package with a function `read(file, options)` that yields messages;
it imports nothing of the package but what it needs, for it is loaded at every start.
"""
