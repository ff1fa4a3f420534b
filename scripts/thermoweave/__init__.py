"""Shared modules of the Thermoweave workflow: physics, file formats, statistics and adapters."""
