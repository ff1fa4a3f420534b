"""Write the start of one production run: a melt of the simulated size at the condition's density."""

import logging
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.composition import atom_counts, cell_volume, unit_counts
from thermoweave.frames import write_frames
from thermoweave.generators import ionic_melt
from thermoweave.seeds import generator_for

log = logging.getLogger(__name__)


def generate_start(
    output: Path, concentration: str, temperature: str, replica: str, composition: dict, density: dict, charges: dict,
    radii: dict, n_units: int, md_ps: float, seed: int,
) -> None:  # fmt: skip
    """One melt, independent of that of every other condition and replica."""
    units = unit_counts(composition, concentration, n_units)
    volume = cell_volume(units, concentration, temperature, density)
    rng = generator_for(seed, "start", concentration, temperature, replica)
    options = {"charges": charges, "radii": radii, "md_ps": md_ps}
    atoms = ionic_melt.generate(atom_counts(units), volume, float(temperature), rng, options)
    log.info("%s in a cell of %.3f A", units, volume ** (1 / 3))
    write_frames(output, [atoms])


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    generate_start(
        Path(snakemake.output.start),
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        snakemake.wildcards.replica,
        **snakemake.params,
    )
