"""The laboratory's own web app, on the laboratory's own machine: find by accession, judge, correct, look back on a day.

It holds the key vault and therefore opens no slide's file; what must be seen of one comes as a picture from the jail.
"""
