"""From a scanner's file to a coded slide: the only code that may see a name."""
