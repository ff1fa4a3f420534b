"""Spectra of one condition, all its replicas: VDOS, conductivity, infrared absorption, structure factors."""

from collections.abc import Sequence
from pathlib import Path

from thermoweave import conditions, environment, logs, reduced, spectra_dataset


def reduce_spectra(
    trajectories: Sequence[Path],
    verdicts: Sequence[Path],
    output: Path,
    concentration: str,
    temperature: str,
    species: list[str],
    charges: dict[str, float],
    memory_MB: float,
    resolution_THz: float,
    born_charges: dict[str, float] | str,
    quantum_correction: str,
    structure_factor: dict | str,
) -> None:
    """
    Write the spectra of one condition; settings as in `spectra_dataset.spectra_dataset`.

    Where no replica passed, or a run is too short or does not fit together, the file holds NaN and the reason. Raises
    ValueError as `conditions.read` does.
    """
    condition = conditions.read(trajectories, verdicts, concentration, temperature, memory_MB)
    dataset = spectra_dataset.spectra_dataset(
        condition, species, charges, resolution_THz, born_charges, quantum_correction, structure_factor
    )
    reduced.save(conditions.label(dataset, condition), output)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_spectra(
        [Path(path) for path in snakemake.input.trajectories],
        [Path(path) for path in snakemake.input.verdicts],
        Path(snakemake.output[0]),
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        **dict(snakemake.params),
        memory_MB=snakemake.resources.memory_MB,
    )
