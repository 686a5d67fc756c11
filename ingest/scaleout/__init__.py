"""Many slides at once: the pipeline's own parts, some of them done by workers on `dask.distributed`.

To look at a file and to make its scan needs no key vault, and takes nearly all of the time: workers do that. Admitting
a slide and committing its scan stay with whoever holds the vault. A worker is told of a file and of a folder with a
random name; it never learns what the delivery list says.

Nothing is imported here: a worker imports what it does, and with it nothing that could open a key vault.
"""
