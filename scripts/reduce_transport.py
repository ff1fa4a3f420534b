"""One condition, all its replicas: diffusion coefficients, conductivity, viscosity, with errors."""

from collections.abc import Sequence
from pathlib import Path

from thermoweave import conditions, environment, logs, reduced
from thermoweave.transport_dataset import transport_dataset


def reduce_transport(
    trajectories: Sequence[Path], verdicts: Sequence[Path], output: Path, concentration: str, temperature: str,
    species: list[str], charges: dict[str, float], onset_floor_ps: float, n_lags: int, stress_trained: bool,
    memory_MB: float,
) -> None:  # fmt: skip
    """
    Reduce the replicas of one condition to a NetCDF file; where none passed it holds NaN and the reason.

    Raises ValueError for trajectories that do not match each other, or that cannot be read as they should
    (`replica.Replica`).
    """
    condition = conditions.read(trajectories, verdicts, concentration, temperature, memory_MB)
    dataset = transport_dataset(condition, species, charges, onset_floor_ps, n_lags, stress_trained)
    reduced.save(conditions.label(dataset, condition), output)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    reduce_transport(
        snakemake.input.trajectories,
        snakemake.input.verdicts,
        Path(snakemake.output[0]),
        snakemake.wildcards.concentration,
        snakemake.wildcards.temperature,
        **dict(snakemake.params),
        memory_MB=snakemake.resources.memory_MB,
    )
