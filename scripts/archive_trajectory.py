"""Thin a trajectory for the archive: every so many frames, in the same convention."""

import logging
import os
from pathlib import Path

from thermoweave import environment, logs

log = logging.getLogger(__name__)


def archive_trajectory(trajectory: Path, out: Path, every: int) -> None:
    """Write every `every`-th frame of an AMBER NetCDF trajectory, from the first on; its attributes say so."""
    import netCDF4

    partial = Path(f"{out}.partial")
    with netCDF4.Dataset(trajectory) as whole, netCDF4.Dataset(partial, "w", format=whole.data_model) as thin:
        for source in (whole, thin):
            source.set_auto_maskandscale(False)
        thin.setncatts({name: whole.getncattr(name) for name in whole.ncattrs()} | {"every_nth_frame": every})
        for name, dimension in whole.dimensions.items():
            thin.createDimension(name, None if dimension.isunlimited() else len(dimension))
        for name, variable in whole.variables.items():
            copy = thin.createVariable(name, variable.dtype, variable.dimensions)
            copy.setncatts({key: variable.getncattr(key) for key in variable.ncattrs()})
            if variable.dimensions[:1] != ("frame",):
                copy[:] = variable[:]
                continue
            frames = range(0, len(whole.dimensions["frame"]), every)
            for number, frame in enumerate(frames):  # never all of it in memory
                copy[number] = variable[frame]
        log.info("%d of %d frames", len(thin.dimensions["frame"]), len(whole.dimensions["frame"]))
    os.replace(partial, out)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    archive_trajectory(snakemake.input[0], snakemake.output[0], snakemake.params.every)
