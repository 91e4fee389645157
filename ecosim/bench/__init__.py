"""Benchmarks with a stated method: what `ecosim bench` runs."""
