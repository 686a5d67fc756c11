"""What a browser sees of the archive: pages, a JSON API and tiles, each decided when it is asked for."""
