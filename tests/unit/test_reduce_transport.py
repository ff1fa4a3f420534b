"""Transport of one condition from files: known answers, and an answer or a named refusal for what is hard or wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
import synthetic
from ase import Atoms
from netCDF4 import Dataset
from reduce_transport import reduce_transport
from scipy.signal import lfilter
from thermoweave import reduced

CHARGES = {"Li": 1.0, "K": 1.0, "Cl": -1.0}
STEP = 0.01


def melt(rng, symbols="Li6K4Cl10", n_frames=600, D=1.0):
    """Atoms and a run of free Langevin ions: coordinates and velocities."""
    atoms = Atoms(symbols, cell=[12.0] * 3, pbc=True)
    return atoms, *synthetic.langevin(rng, n_frames, len(atoms), D, 0.05, STEP)


def reduce(folder: Path, runs: list[tuple], charges=CHARGES, floor=0.3, memory_MB=100.0, passed=True):
    """The dataset of a condition with these runs, (atoms, x, v) or (atoms, x, v, stress)."""
    paths, verdicts = [], []
    for k, (atoms, x, v, *stress) in enumerate(runs, start=1):
        paths.append(folder / f"replica{k}.nc")
        synthetic.write_trajectory(paths[-1], atoms, STEP * np.arange(len(x)), x, v)
        for values in stress:
            with Dataset(paths[-1], "a") as file:
                file["stress"][:] = values
        verdicts.append(folder / f"replica{k}.json")
        verdicts[-1].write_text(json.dumps({"passed": passed, "reason": "" if passed else "too hot"}))
    output = folder / "transport.nc"
    reduce_transport(paths, verdicts, output, "0.40", "1000", list(charges), charges, floor, 30, False, memory_MB)
    return reduced.load(output)


def test_free_ions_have_their_D_and_conduct_as_if_alone(tmp_path):
    rng = np.random.default_rng(1)
    found = reduce(tmp_path, [melt(rng, n_frames=1500) for _ in range(3)])
    # less the share of the centre of mass, which is theirs and the heavier ions'
    assert found["D"].values == pytest.approx([1e-8] * 3, rel=0.25)
    assert (found["regime"] == "diffusive").all()
    ratio, std = float(found["haven_ratio"]), float(found["haven_ratio_std"])
    assert abs(ratio - 1) < 3 * std and std < 0.4
    assert float(found["conductivity_ne_std"]) < float(found["conductivity_std"])
    assert float(found["transference"].sum()) == pytest.approx(1)


def test_memory_does_not_change_the_numbers(tmp_path):
    runs = [melt(np.random.default_rng(2))]
    large, small = reduce(tmp_path, runs), reduce(tmp_path, runs, memory_MB=0.02)
    for name in ("D", "D_std", "conductivity", "conductivity_std", "onsager", "msd"):
        assert np.allclose(large[name], small[name], rtol=1e-9, equal_nan=True), name


def test_one_replica_and_one_atom_of_a_kind(tmp_path):
    found = reduce(tmp_path, [melt(np.random.default_rng(3), "LiK9Cl10", n_frames=2000)])
    li = found.sel(species="Li")
    assert np.isfinite(li["D"]) or "not resolved" in str(li["reason"].item())
    assert float(li["D_estimate_std"]) > 2 * float(found["D_estimate_std"].sel(species="K"))
    assert np.isnan(found["birge_ratio"]).all()
    assert float(found["n_independent"].sel(species="Li")) == pytest.approx(1)


def test_a_solid_has_bounds_and_no_numbers(tmp_path):
    """Ions that only rattle about their sites."""
    rng = np.random.default_rng(4)
    atoms = Atoms("Li6K4Cl10", cell=[12.0] * 3, pbc=True)
    x = np.empty((1000, 20, 3))
    x[0] = 0.2 * rng.normal(size=(20, 3))
    for k in range(1, 1000):
        x[k] = 0.9 * x[k - 1] + 0.2 * np.sqrt(1 - 0.81) * rng.normal(size=(20, 3))
    found = reduce(tmp_path, [(atoms, x, 10 * rng.normal(size=x.shape))])
    assert found["D"].isnull().all()
    three_hops = 3.3 * 3.0**2 / (6 * 10 * np.array([6, 4, 10])) * 1e-8  # of 3 A, that nobody saw
    assert found["D_upper_bound"].values == pytest.approx(three_hops, rel=0.1)
    assert found["regime"].isin(["unresolved", "subdiffusive"]).all()
    assert np.isnan(found["conductivity_ne"]) and str(found["conductivity_ne_reason"].item())
    for name in ("conductivity", "conductivity_eh"):
        assert np.isnan(found[name]) and str(found[f"{name}_reason"].item()).startswith("no ion diffuses: ")
    assert np.isnan(found["onsager"]).all() and str(found["onsager_reason"].item())


def test_ions_without_charge_do_not_conduct(tmp_path):
    found = reduce(tmp_path, [melt(np.random.default_rng(5))], charges=dict.fromkeys(CHARGES, 0.0))
    for name in ("conductivity", "conductivity_eh", "conductivity_ne"):
        assert np.isnan(found[name])
        assert "charge" in str(found[f"{name}_reason"].item())
    assert found["D"].notnull().all()


def test_a_run_as_short_as_its_correlations_is_refused(tmp_path):
    found = reduce(tmp_path, [(melt(np.random.default_rng(6))[0], *slow(np.random.default_rng(6), 120))], floor=0.1)
    assert np.isnan(found["conductivity"])
    assert "lengthen" in str(found["conductivity_reason"].item())
    assert found["D"].isnull().all()
    assert found["reason"].str.len().min() > 0


def slow(rng, n_frames):
    """A run whose velocities remember far longer than it lasts."""
    return synthetic.langevin(rng, n_frames, 20, 1.0, 3.0, STEP)


def test_the_viscosity_and_what_it_takes(tmp_path):
    rng = np.random.default_rng(7)
    atoms, x, v = melt(rng, n_frames=1000)
    found = reduce(tmp_path, [(atoms, x, v)])
    assert str(found["viscosity_reason"].item()) == "the runs kept no stress"
    assert found["D_corrected"].isnull().all()
    assert "no stress" in str(found["D_corrected_reason"].item())
    found = reduce(tmp_path, [(atoms, x, v, np.nan)])  # what an engine without stresses leaves
    assert str(found["viscosity_reason"].item()) == "the runs kept no stress"
    noise = 2e-3 * rng.normal(size=(1000, 6))
    found = reduce(tmp_path, [(atoms, x, v, noise)])
    assert "as fast as frames are stored" in str(found["viscosity_reason"].item())
    stress = lfilter([1], [1, -0.8], noise, axis=0)
    found = reduce(tmp_path, [(atoms, x, v, stress)])
    assert float(found["viscosity"]) > 0 and not str(found["viscosity_reason"].item())
    assert "no label had a stress" in str(found["viscosity_note"].item())
    assert (found["D_corrected"] > found["D"]).all()
    atoms.set_cell([12.0, 12.0, 15.0])
    found = reduce(tmp_path, [(atoms, x, v, stress)])
    assert "cubic" in str(found["D_corrected_reason"].item())


def test_a_condition_without_a_run_is_a_gap_in_every_variable(tmp_path):
    found = reduce(tmp_path, [melt(np.random.default_rng(8))], passed=False)
    for name, values in found.data_vars.items():
        if values.dtype.kind == "f":
            assert values.isnull().all(), name
        elif name.endswith("reason"):
            assert all("replica 1: too hot" in str(text) for text in np.ravel(values.values)), name
    assert int(found["n_replicas"]) == 0


def test_a_wrapped_trajectory_is_an_error_and_no_number(tmp_path):
    atoms, x, v = melt(np.random.default_rng(9))
    with pytest.raises(ValueError, match="wrapped"):
        reduce(tmp_path, [(atoms, (x + 6) % 12.0, v)])


def test_every_variable_says_what_it_is(tmp_path):
    found = reduce(tmp_path, [melt(np.random.default_rng(10))])
    for name, values in found.data_vars.items():
        assert values.attrs.get("long_name"), name
        assert values.attrs.get("units") or values.dtype.kind in "OUT", name
        if "ancillary_variables" in values.attrs:
            assert values.attrs["ancillary_variables"] in found, name
