import pytest
from thermoweave.composition import atom_counts, cell_volume, molar_mass, unit_counts

COMPOSITION = {"LiCl": [1, 0], "KCl": [0, 1]}
DENSITY = {"rule": "additive_volumes", "coefficients": {"LiCl": [1.8842, -4.328e-4], "KCl": [2.1359, -5.831e-4]}}
N_A = 6.02214076e23


@pytest.mark.parametrize(
    ("x", "n", "expected"), [("0.41", 12, (7, 5)), ("0", 5, (5, 0)), ("1", 5, (0, 5)), ("0.50", 3, (2, 1))]
)
def test_counts_are_whole_and_complete(x, n, expected):
    assert tuple(unit_counts(COMPOSITION, x, n).values()) == expected


def test_atoms_of_formula_units():
    assert atom_counts({"Li2CO3": 2, "KCl": 1}) == {"Li": 4, "C": 2, "O": 6, "K": 1, "Cl": 1}


def test_negative_amounts_are_refused():
    with pytest.raises(ValueError, match="concentration 1.2 gives -0.2 of LiCl"):
        unit_counts(COMPOSITION, "1.2", 10)


@pytest.mark.parametrize("kelvin", [800, 1000, 1200, 1300])
def test_additive_volumes_meet_the_measured_eutectic(kelvin):
    """Within 1 % of the eutectic's own line, 2.0082 - 5.133e-4 T (Duemmler et al., 58.2/41.8)."""
    units = {"LiCl": 582, "KCl": 418}
    volume = cell_volume(units, "0.418", str(kelvin), DENSITY)
    mass = sum(n * molar_mass(unit) for unit, n in units.items())
    assert mass / N_A / (volume * 1e-24) == pytest.approx(2.0082 - 5.133e-4 * kelvin, rel=0.01)


def test_table_rule_gives_its_density_back():
    units = unit_counts(COMPOSITION, "0.50", 10)
    volume = cell_volume(units, "0.50", "1000", {"rule": "table", "coefficients": {"0.50": [2.0, -5e-4]}})
    mass = sum(n * molar_mass(unit) for unit, n in units.items())
    assert mass / N_A / (volume * 1e-24) == pytest.approx(1.5)


def test_an_impossible_density_is_refused():
    with pytest.raises(ValueError, match="g/cm"):
        cell_volume({"LiCl": 1, "KCl": 1}, "0.50", "9000", DENSITY)
