"""The archive's own commands: they speak codes, and need neither the key vault nor a scanner's reader."""

from archive.cli.main import COMMANDS, main

__all__ = ["COMMANDS", "main"]
