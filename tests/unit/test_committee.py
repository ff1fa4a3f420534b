"""A committee's deviation: the formula, and that it estimates the scatter of its members without bias."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from explore_md import walk
from thermoweave import health
from thermoweave.engines import System
from thermoweave.engines.ase import Session
from thermoweave.potentials.committee import deviation
from thermoweave.potentials.wall import Walled
from thermoweave.preparation import relax, thermalise

NO_WALL = {"stiffness_eV_per_A2": 30.0, "r_min_A": {}, "unseen": []}


class Given(Calculator):
    """Predicts what it was given."""

    implemented_properties = ("energy", "forces")

    def __init__(self, energy, forces):
        super().__init__()
        self.energy, self.forces = energy, forces

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": self.energy, "forces": self.forces}


def test_the_formula():
    atoms = Atoms("LiCl", [[0, 0, 0], [0, 0, 3.0]], cell=[8] * 3, pbc=True)
    found = deviation([Given(1.0, np.zeros((2, 3))), Given(3.0, np.array([[0.3, 0.4, 0], [0, 0, 0]]))], atoms)
    assert found.forces == pytest.approx([0.5 / np.sqrt(2), 0])
    assert found.energy == pytest.approx(1 / np.sqrt(2))


@pytest.mark.parametrize("n_members", [2, 3, 5])
def test_its_square_is_the_variance_of_the_members_however_many(n_members):
    rng = np.random.default_rng(n_members)
    atoms = Atoms("LiCl" * 500, rng.uniform(0, 30, (1000, 3)), cell=[30] * 3, pbc=True)
    members = [Given(0.0, 0.05 * rng.standard_normal((1000, 3))) for _ in range(n_members)]
    assert np.sqrt(np.mean(deviation(members, atoms).forces ** 2)) == pytest.approx(np.sqrt(3) * 0.05, rel=0.1)


def test_one_potential_is_no_committee():
    with pytest.raises(ValueError, match="add seeds to train.seeds"):
        deviation([Given(0.0, np.zeros((1, 3)))], Atoms("Li", cell=[5] * 3, pbc=True))


def test_a_walk_knows_how_far_its_committee_disagrees():
    atoms = Atoms("LiCl", [[0, 0, 0], [0, 0, 3.0]], cell=[8] * 3, pbc=True)
    push = np.array([[0, 0, 0.1], [0, 0, -0.1]])
    committee = [
        Walled(Given(energy, scale * push), NO_WALL, {"Li": 0.0, "Cl": 0.0}) for energy, scale in ((0.0, 0), (0.2, 1))
    ]
    session, system = Session(committee[0]), System(atoms, np.random.default_rng(0))
    relax(session, system)
    thermalise(system, 300)
    limits = health.Limits(min_distance=0.5, max_force=50.0, max_temperature_ratio=50.0)
    frames, sick = walk(session, system, 300, 1.0, 3, 2, limits, committee)
    assert not sick and len(frames) == 3
    assert frames[-1].info["force_deviation"] == pytest.approx(0.1 / np.sqrt(2))
    assert frames[-1].info["energy_deviation"] == pytest.approx(0.1 / np.sqrt(2))
    alone, _ = walk(session, system, 300, 1.0, 1, 2, limits)
    assert "force_deviation" not in alone[0].info
