"""Slide readers are native code that strangers' files can take over, so each slide is read in a jail of its own.

A jail is a child process that has everything imported already and can then reach nothing but the slide it was made
for and, if need be, one folder to write into: no other file, no network, no other process, bounded memory and time.
It answers in plain JSON. Whatever happens in it, the process that made it lives on and gets an answer or a reason.

``prepare`` is called early, with the modules that the jail's functions need; then, for each slide::

    with Jail(read=[slide], write=[staged_folder]) as jail:
        answer = jail.call(describe, str(slide))
"""

from ingest.sandbox.forkserver import prepare
from ingest.sandbox.jail import Jail, require_apart
from ingest.sandbox.level import Level, jail_level, what_is_missing
from ingest.sandbox.limits import Limits
from ingest.sandbox.messages import JSON, Tell
from ingest.sandbox.proof import Denial, self_test

__all__ = [
    "JSON",
    "Denial",
    "Jail",
    "Level",
    "Limits",
    "Tell",
    "jail_level",
    "prepare",
    "require_apart",
    "self_test",
    "what_is_missing",
]
