"""Write the reference page of the delivery list: ``python -m ingest.delivery > docs/reference/delivery-list.md``."""

import sys

from ingest.delivery.writing import reference_page

sys.stdout.write(reference_page())
