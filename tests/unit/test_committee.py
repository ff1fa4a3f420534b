"""A committee's deviation: the formula, and that it estimates the scatter of its members without bias."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from thermoweave.potentials.committee import deviation, frame_deviation, frame_error


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


def test_error_of_a_member_from_mean_and_scatter():
    """What the mean force and the scatter say together is the mean squared error of the members."""
    rng = np.random.default_rng(0)
    members, reference = rng.normal(0, 1, (3, 20, 3)), rng.normal(0, 1, (20, 3))
    scatter = np.sqrt(members.var(axis=0, ddof=1).sum(axis=1))
    direct = 1000 * np.sqrt(np.mean((members - reference) ** 2))
    assert frame_error(members.mean(axis=0), scatter, reference, 3) == pytest.approx(direct)
    assert frame_deviation(scatter) == pytest.approx(1000 * np.sqrt(members.var(axis=0, ddof=1).mean()))
