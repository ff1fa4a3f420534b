"""A tiny potential of each backend that this environment holds, and the labels it is trained on."""

from importlib import metadata

import pytest
from ase import Atoms
from thermoweave import potentials

R_MAX = 4.5
# What makes a model tiny, by backend.
TINY = {
    "deepmd": {
        "steps": 400,
        "energy_weight": [10.0, 10.0],
        "fitting_neuron": [8, 8],
        "descriptor": {"type": "se_e2_a", "neuron": [4, 8], "axis_neuron": 2, "sel": "auto:1.3"},
    },
    "lennard_jones": {},
    "mace": {"num_channels": 8, "radial_MLP": [16], "epochs": 10},
    "schnetpack": {"num_features": 8, "num_layers": 2, "num_radial_basis": 8, "epochs": 20, "learning_rate": 0.01},
    "torchani": {
        "r_angular": 3.5,
        "radial_shifts": 6,
        "angular_shifts": 2,
        "sections": 2,
        "epochs": 30,
        "learning_rate": 0.005,
    },
    "nequip": {
        "num_features": 8,
        "radial_width": 16,
        "epochs": 10,
        "batch_size": 1,
        "learning_rate": 0.05,
        "ema_decay": 0.9,
    },
}
# What makes a training change next to nothing, by backend.
GENTLE = {
    "deepmd": {"steps": 4, "learning_rate": 1e-9, "last_learning_rate": 1e-10},
    "mace": {"epochs": 1, "learning_rate": 1e-9},
    "nequip": {"epochs": 1, "learning_rate": 1e-9},
    "schnetpack": {"epochs": 1, "learning_rate": 1e-9},
    "torchani": {"epochs": 1, "learning_rate": 1e-9},
}


def installed(name: str) -> bool:
    try:
        metadata.version(potentials.adapter(name).DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return False
    return True


def those_installed(attribute: str = "HYPERS", has: bool = True) -> list[str]:
    """The backends of this environment that have (or have not) an attribute."""
    found = filter(installed, potentials.available())
    return [name for name in found if hasattr(potentials.adapter(name), attribute) == has]


def evaluate(calculator, atoms: Atoms) -> tuple:
    """Energy and forces, with nothing cached."""
    copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, calculator=calculator)
    return copy.get_potential_energy(), copy.get_forces()


@pytest.fixture(scope="session", params=those_installed())
def adapter(request):
    return potentials.adapter(request.param)


@pytest.fixture(scope="session")
def hypers(adapter, name):
    return {**adapter.HYPERS, "r_max": R_MAX, "dtype": "float64", **TINY[name]}


def morse_frames(n: int, rattle: float) -> list[Atoms]:
    """Frames of 12 ions, Li, K and Cl, `rattle` (A) off their sites in a box shorter than twice the cutoff, with forces
    of a pair potential.
    """
    import hashlib

    import numpy as np
    from ase.calculators.morse import MorsePotential
    from thermoweave.potentials import shifts

    rng = np.random.default_rng(11)
    sites = 2.6 * np.array([[x, y, z] for x in range(3) for y in range(2) for z in range(2)], float)
    frames = []
    for k in range(n):
        positions = sites + rattle * rng.standard_normal((12, 3))
        atoms = Atoms("LiClKClClLiClKLiClKCl", positions, cell=[7.8, 5.2, 5.2], pbc=True)
        atoms.calc = MorsePotential(epsilon=0.3, r0=2.6, rho0=4.0, rcut1=4.5, rcut2=5.5)
        atoms.info |= {
            "REF_energy": atoms.get_potential_energy(), "label_id": hashlib.sha256(str(k).encode()).hexdigest(),
            "concentration": "x0.50", "temperature": "T1000", "round": 0, "level": "settings:a Li:b",
        }  # fmt: skip
        atoms.arrays["REF_forces"] = atoms.get_forces()
        atoms.calc = None
        frames.append(atoms)
    return shifts.take_off(shifts.fit(frames), frames)


@pytest.fixture(scope="session")
def melt():
    """Ten frames."""
    return morse_frames(10, 0.25)


@pytest.fixture(scope="session")
def name(adapter):
    return adapter.__name__.rpartition(".")[2]


@pytest.fixture(scope="session")
def weights(adapter, hypers, melt, tmp_path_factory):
    return adapter.train(melt[:8], melt[8:], hypers, 1, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def calculator(adapter, weights):
    return adapter.calculator(weights, "cpu", "float64")
