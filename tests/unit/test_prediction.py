"""Errors of a potential: what their bars cover, and that a difference on the same frames is known better."""

import numpy as np
import pytest
from ase import Atoms
from thermoweave import prediction


def frames_with(n, rng, stress=True):
    frames = []
    for k in range(n):
        atoms = Atoms("LiCl" * 4, rng.uniform(0, 5, (8, 3)), cell=[5.0] * 3, pbc=True)
        atoms.info |= {"concentration": f"x0.{k % 2}0", "temperature": f"T{900 + k % 2}", "label_id": str(k)}
        atoms.info["REF_energy"] = rng.normal()
        atoms.arrays["REF_forces"] = rng.normal(size=(8, 3))
        if stress:
            atoms.info["REF_stress"] = rng.normal(size=6)
        frames.append(atoms)
    return frames


def off_by(frames, energy, force, stress):
    """Predictions that are wrong by these constants (eV/atom, eV/A on Li only, eV/A^3)."""
    return [
        prediction.Prediction(
            atoms.info["REF_energy"] + 8 * energy,
            atoms.arrays["REF_forces"] + force * (atoms.symbols == "Li")[:, None],
            atoms.info["REF_stress"] + stress if "REF_stress" in atoms.info else None,
        )
        for atoms in frames
    ]


def test_every_error_is_the_one_that_was_made():
    frames = frames_with(10, np.random.default_rng(0))
    summary = prediction.summarise(frames, off_by(frames, 0.004, 0.06, 0.002))
    row = summary["all"]
    assert row["energy_rmse_meV_atom"] == row["energy_mae_meV_atom"] == 4
    assert row["force_rmse_meV_A"] == pytest.approx(60 / np.sqrt(2), abs=1e-3) and row["force_mae_meV_A"] == 30
    assert row["stress_rmse_meV_A3"] == row["stress_mae_meV_A3"] == 2
    species = {row["species"]: row["force_rmse_meV_A"] for row in summary["species"]}
    assert species == {"Cl": 0, "Li": 60}
    assert [row["n_atoms"] for row in summary["species"]] == [40, 40]
    assert [row["concentration"] for row in summary["concentrations"]] == ["0.00", "0.10"]
    assert {(row["concentration"], row["temperature"]) for row in summary["conditions"]} == {
        ("0.00", "900"),
        ("0.10", "901"),
    }


def test_labels_without_stress_have_no_error_of_it():
    frames = frames_with(4, np.random.default_rng(0), stress=False)
    assert not [key for key in prediction.error_row(frames, off_by(frames, 0, 0, 0)) if "stress" in key]


def test_predictions_are_read_back_by_frame(tmp_path):
    frames = frames_with(3, np.random.default_rng(1))
    prediction.save(
        tmp_path / "p.npz", frames, off_by(frames, 0, 0.05, 0), [np.zeros((len(atoms), 3)) for atoms in frames]
    )
    errors = prediction.read_force_errors(tmp_path / "p.npz")
    assert [error.shape for error in errors] == [(8, 3)] * 3
    assert errors[1] == pytest.approx(50 * (frames[1].symbols == "Li")[:, None] * np.ones(3))


def test_a_difference_on_the_same_frames_is_covered_and_known_better():
    """Two potentials (50 and 55 meV/A) on 12 frames whose difficulty differs: their errors rise and fall together."""
    rng = np.random.default_rng(3)
    true = np.sqrt(np.mean(np.linspace(0.4, 1.6, 1001) ** 2)) * (55 - 50)
    covered, narrower = 0, 0
    for _ in range(400):
        scale = rng.uniform(0.4, 1.6, 12)[:, None, None]
        first, second = (s * scale * rng.standard_normal((12, 24, 3)) for s in (55, 50))
        difference, std = prediction.rmse_difference(list(first), list(second))
        separate = np.hypot(*(prediction.root_mean_square(list(e))[1] for e in (first, second)))
        covered += abs(difference - true) < 2 * std
        narrower += std < separate
    assert covered > 0.88 * 400
    assert narrower > 0.95 * 400


@pytest.mark.parametrize("n_frames", [2, 4, 10])
def test_two_standard_errors_cover_the_true_error(n_frames):
    """Frames of 24 atoms with Gaussian errors of 50 meV/A: +-2 standard errors hold the truth about 95 times in 100."""
    rng = np.random.default_rng(n_frames)
    trials = [prediction.root_mean_square(50 * rng.standard_normal((n_frames, 24, 3))) for _ in range(400)]
    covered = np.mean([abs(rms - 50) < 2 * error for rms, error in trials])
    assert covered > 0.9


def test_the_standard_error_knows_that_frames_differ():
    """Frames whose errors differ by their scale (30 to 70 meV/A): single atoms alone would say too little."""
    rng = np.random.default_rng(7)
    true = np.sqrt(np.mean(np.linspace(30, 70, 1001) ** 2))
    trials = []
    for _ in range(400):
        scale = rng.uniform(30, 70, 10)[:, None, None]
        trials.append(prediction.root_mean_square(scale * rng.standard_normal((10, 24, 3))))
    assert np.mean([abs(rms - true) < 2 * error for rms, error in trials]) > 0.88
