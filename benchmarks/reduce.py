#!/usr/bin/env python3
"""How fast D comes out of a trajectory on the disk, and how much memory that takes: the tables of docs/performance.md.

Run with the Python of envs/calibration.yaml on a machine that does nothing else:

    reduce.py --out FOLDER [--quick] [--keep]

Ours, from opening the file to D with its bar, against kinisi (its default lags, and the 40 log-spaced ones that ours
has) and MDAnalysis' EinsteinMSD, which gives no D and no bar, on the same file of Brownian particles (D = 1e-8 m2/s);
then ours on a file that does not fit into the memory it is allowed. Each measurement is a process of its own; its
seconds leave out the imports, its memory is the peak of the process, imports included. The fastest of --repeats. Writes
reduce.csv and summary.md.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from simulate_tables import markdown, write_csv  # noqa: E402

STEP, FLOOR, N_LAGS = 0.02, 0.5, 40  # ps, ps
SHARED = {"small": (64, 750), "middle": (256, 1500)}  # atoms, frames; kinisi's default has a lag for every frame
LARGE, QUICK = (1000, 20000), (200, 4000)
MEMORY_MB = 200.0
PIECE = 500  # frames written at a time


def main() -> None:
    options = arguments()
    if options.measure:
        print(json.dumps(WAYS[options.measure](options.out)))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, shape in SHARED.items():
        path = write(options.out / f"{name}.nc", *shape)
        ways = [way for way in WAYS if not (options.quick and name == "middle" and way == "kinisi, default lags")]
        found = {way: measure(way, path, options.repeats) for way in ways}
        rows += [row(way, shape, path, one, found["ours"]) for way, one in found.items()]
        print(markdown(rows), flush=True)
    shape = QUICK if options.quick else LARGE
    path = write(options.out / "large.nc", *shape)
    one = measure("ours", path, 1)
    rows.append(row("ours", shape, path, one, one))
    write_csv(options.out / "reduce.csv", rows)
    (options.out / "summary.md").write_text(markdown(rows))
    print(markdown(rows))
    if not options.keep:
        for path in options.out.glob("*.nc"):
            path.unlink()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="a trial of a minute")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the trajectories")
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


def write(path: Path, n_atoms: int, n_frames: int) -> Path:
    """A trajectory of the workflow with Brownian particles, written in pieces."""
    from ase import Atoms
    from netCDF4 import Dataset
    from thermoweave import trajectory

    rng, x = np.random.default_rng(1), np.zeros((1, n_atoms, 3))
    trajectory.create(path, Atoms(f"Ar{n_atoms}", cell=[40.0] * 3, pbc=True), {})
    with Dataset(path, "a") as file:
        for first in range(0, n_frames, PIECE):
            n = min(PIECE, n_frames - first)
            steps = rng.normal(size=(n, n_atoms, 3)) * np.sqrt(2 * STEP)
            x = x[-1] + np.cumsum(steps, axis=0)
            file["time"][first : first + n] = STEP * np.arange(first, first + n)
            file["coordinates"][first : first + n] = x
            file["velocities"][first : first + n] = steps / STEP
            file["cell_lengths"][first : first + n] = np.full((n, 3), 40.0)
            file["cell_angles"][first : first + n] = np.full((n, 3), 90.0)
            file["temperature"][first : first + n] = np.full(n, 900.0)
            file["wall_contacts"][first : first + n] = np.zeros(n, int)
    return path


def measure(way: str, path: Path, repeats: int) -> dict[str, float]:
    """The fastest of some processes, one after another."""
    command = [sys.executable, __file__, "--measure", way, "--out", str(path)]
    found = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeats)]
    return min(found, key=lambda one: one["seconds"])


def clocked(reduce: Callable[[], tuple[float, float]]) -> dict[str, float]:
    """Seconds, peak memory of this process (MB), D and its bar (1e-9 m2/s)."""
    start = time.perf_counter()
    D, bar = reduce()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_MB": peak, "D": D * 1e9, "bar": bar * 1e9}


def ours(path: Path) -> dict[str, float]:
    """Centre of mass, MSD and D, as in scripts/thermoweave/transport_dataset.py."""
    import scipy.stats  # noqa: F401
    from thermoweave import collective, msd, transport
    from thermoweave.replica import Replica

    def reduce() -> tuple[float, float]:
        replica = Replica(path, MEMORY_MB)
        atoms = replica.members("Ar")
        lags = msd.log_lags(replica.n_frames, N_LAGS)
        centre, _ = collective.paths(replica, [atoms])
        relative = (values - centre[:, None] for _, values in replica.series("coordinates", atoms))
        squared = msd.displacements(relative, lags)
        found = transport.diffusion([squared], lags, replica.step, replica.n_frames, FLOOR)
        return found.D_estimate, found.D_estimate_std

    return clocked(reduce)


def kinisi_default(path: Path) -> dict[str, float]:
    return kinisi(path, log_spaced=False)


def kinisi_log_spaced(path: Path) -> dict[str, float]:
    return kinisi(path, log_spaced=True)


def kinisi(path: Path, log_spaced: bool) -> dict[str, float]:
    """DiffusionAnalyzer from an MDAnalysis universe, told where diffusion begins."""
    import scipp
    from kinisi.analyze import DiffusionAnalyzer
    from thermoweave import msd

    ps = scipp.Unit("ps")
    system = universe(path)
    n_frames = len(system.trajectory)
    intervals = None
    if log_spaced:
        intervals = scipp.array(dims=["time interval"], values=msd.log_lags(n_frames, N_LAGS) * STEP, unit=ps)

    def reduce() -> tuple[float, float]:
        analyzer = DiffusionAnalyzer.from_universe(
            system, specie="Ar", time_step=STEP * ps, step_skip=scipp.scalar(1), dt=intervals, progress=False
        )
        analyzer.diffusion(FLOOR * ps, progress=False)
        samples = analyzer.D.values * 1e-4
        return float(samples.mean()), float(samples.std())

    return clocked(reduce)


def mdanalysis(path: Path) -> dict[str, float]:
    """EinsteinMSD by Fourier transforms: an MSD, no D."""
    from MDAnalysis.analysis.msd import EinsteinMSD

    system = universe(path)

    def reduce() -> tuple[float, float]:
        EinsteinMSD(system, select="all", msd_type="xyz", fft=True).run()
        return float("nan"), float("nan")

    return clocked(reduce)


def universe(path: Path):
    """The file as an MDAnalysis universe of argon."""
    import MDAnalysis
    from netCDF4 import Dataset

    warnings.simplefilter("ignore")
    with Dataset(path) as file:
        n_atoms = len(file.dimensions["atom"])
    system = MDAnalysis.Universe.empty(n_atoms, trajectory=True)
    system.add_TopologyAttr("name", ["Ar"] * n_atoms)
    system.add_TopologyAttr("type", ["Ar"] * n_atoms)
    system.add_TopologyAttr("mass", [39.95] * n_atoms)
    return system.load_new(str(path), format="NCDF")


def row(way: str, shape: tuple[int, int], path: Path, one: dict[str, float], reference: dict[str, float]) -> dict:
    """A line of the table."""
    n_atoms, n_frames = shape
    return {
        "way": way,
        "atoms": n_atoms,
        "frames": n_frames,
        "file (MB)": round(path.stat().st_size / 1e6),
        "seconds": f"{one['seconds']:.3g}",
        "10^6 atoms x frames / s": f"{n_atoms * n_frames / one['seconds'] / 1e6:.3g}",
        "ours is faster by": f"{one['seconds'] / reference['seconds']:.3g}",
        "peak memory (MB)": round(one["peak_MB"]),
        "D (1e-9 m2/s)": "" if np.isnan(one["D"]) else f"{one['D']:.2f} +- {one['bar']:.2f}",
    }


WAYS: dict[str, Callable[[Path], dict[str, float]]] = {
    "ours": ours,
    "kinisi, default lags": kinisi_default,
    "kinisi, 40 log-spaced lags": kinisi_log_spaced,
    "MDAnalysis EinsteinMSD": mdanalysis,
}


if __name__ == "__main__":
    main()
