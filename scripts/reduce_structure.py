"""Structure of one condition, all its replicas: g(r), coordination numbers, density, the shell around a chosen ion."""

from collections.abc import Sequence
from pathlib import Path

from thermoweave import conditions, environment, logs, reduced, structure_dataset


def reduce_structure(
    trajectories: Sequence[Path],
    verdicts: Sequence[Path],
    output: Path,
    concentration: str,
    temperature: str,
    species: list[str],
    memory_MB: float,
    rdf_bin_A: float,
    rdf_max_A: float,
    solvation: dict[str, str | float] | str,
) -> None:
    """
    Write the structure of one condition; settings as in `structure_dataset.structure_dataset`.

    Where no replica passed, the file holds NaN and the reason. Raises ValueError as `conditions.read` and
    `structure_dataset.structure_dataset` do.
    """
    condition = conditions.read(trajectories, verdicts, concentration, temperature, memory_MB)
    dataset = structure_dataset.structure_dataset(condition, species, rdf_bin_A, rdf_max_A, solvation)
    reduced.save(conditions.label(dataset, condition), output)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_structure(
        [Path(path) for path in snakemake.input.trajectories],
        [Path(path) for path in snakemake.input.verdicts],
        Path(snakemake.output[0]),
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        **dict(snakemake.params),
        memory_MB=snakemake.resources.memory_MB,
    )
