"""Molecular dynamics engines: one module a file, the same protocol in and the same trajectory out."""
