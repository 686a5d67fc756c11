"""Drawing tissue that never was: cells, the layers of a colon's wall, crypts, and the glass they lie on."""
