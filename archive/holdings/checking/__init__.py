"""What is kept is read again before anybody misses it: every byte, every row, and every link between the two.

`running` does the work, `faults` are what it may find, `rounds` remembers what was read when, and `repairing` puts back
what a good copy has.
"""
