"""The tests mirror the two packages; slides, contracts, journeys, browser, benchmarks and deep runs stand beside."""
