"""Makers of small slides with known pixels and planted names: what a scanner writes, made without a scanner."""
