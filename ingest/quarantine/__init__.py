"""A slide that could not be taken waits where it lies, untouched; what waits, and why, is written down.

Where a file lies often names a patient, so the entries are kept sealed in the key vault's register and never in the
archive. An entry ends when the file is taken in after all, or when a person refuses it for good. A person may also
overrule the reason, where it is one that a person can judge; it is then overruled for exactly this file.
"""
