"""``python -m archive.consent`` prints the reference page of the decision table."""

import sys

from archive.consent.page import decision_table_page

sys.stdout.write(decision_table_page())
