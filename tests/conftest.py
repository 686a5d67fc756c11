"""Slides of the tests are kept without a look at their pixels, which takes seconds each.

What is done while a slide is taken in is asked for where it is tested: with ``--screen now``, or ``screen=True``.
"""

import os

os.environ["COVERSLIP_SCREEN"] = "later"
