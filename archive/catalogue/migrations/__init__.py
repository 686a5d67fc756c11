"""How an older catalogue becomes a newer one; each step is a file in ``versions`` and is never changed afterwards."""
