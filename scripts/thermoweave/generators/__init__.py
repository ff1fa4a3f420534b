"""Structure generators: one module a file, each with `generate(counts, volume, temperature, rng, options) -> Atoms`."""
