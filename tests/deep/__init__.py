"""What the suite does in part, done in full: hours on a machine that has nothing else to do."""
