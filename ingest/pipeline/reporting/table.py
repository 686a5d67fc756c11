"""The report as a table for a spreadsheet: one row for each file of the day."""

import csv
import io

from ingest.pipeline.reporting.telling import DayReport

COLUMNS = ("number", "state", "reason", "code", "source_bytes", "stored_bytes")


def csv_of(report: DayReport) -> str:
    """Write the files of a day as CSV, with a row of headings; lines end as RFC 4180 has them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for line in report.lines:
        reason = line.reason.value if line.reason else ""
        code = str(line.code) if line.code else ""
        writer.writerow((line.number, line.state.value, reason, code, line.source_bytes, line.stored_bytes))
    return text.getvalue()
