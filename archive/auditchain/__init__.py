"""A trail that can be edited proves nothing: each entry seals the one before it, and heads in another place are signed.

The catalogue, the accounts and the key vault keep one chain each, in one format (`archive.auditchain.chain`). What a
second place keeps of them is in `archive.auditchain.statement`.
"""

from archive.auditchain.chain import Entry, Fault, FaultCode, Head, Trail, Value, seal, start, verify

__all__ = ["Entry", "Fault", "FaultCode", "Head", "Trail", "Value", "seal", "start", "verify"]
