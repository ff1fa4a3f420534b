"""Labellers: one module a file; each turns a structure into energy and forces, or says why it did not."""
