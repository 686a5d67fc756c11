"""A scan as an OME-Zarr pyramid whose stored tiles are servable tiles."""
