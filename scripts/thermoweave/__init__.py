"""Shared modules of the Thermoweave workflow: physics, file formats, statistics and adapters."""

VERSION = "0.1.0"  # as in CITATION.cff
