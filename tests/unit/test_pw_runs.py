"""The label stage with the real pw.x (two ions, 15 Ry), in the environment pwscf."""

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from ase import Atoms
from labelling import LADDER, PSEUDOPOTENTIALS, ROOT, SETTINGS, Campaign, outcomes, pair, recorded
from thermoweave import espresso_output, ladder
from thermoweave.attempts import MachineFault
from thermoweave.labellers import Machine, pwscf

PW = f"{sys.executable} {ROOT}/tools/pw_wheel.py"
SMEARED = {**SETTINGS, "occupations": "smearing", "smearing": "gaussian", "degauss": 0.002}
METAL = {**SMEARED, "degauss": 0.05, "kpoints": [2, 1, 1], "nbnd": 2}
NUMERIC_RUNGS = ladder.read(LADDER, "pwscf", pwscf.NUMERICS, [])


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


def label(campaign, structures, **changes):
    return campaign.label(structures, **{"pw_command": PW, **changes})


def calculated(folder, settings=SETTINGS, atoms=None, pw_command=PW, needs_stress=False, **machine):
    machine = Machine(pw_command=pw_command, pseudo_dir=PSEUDOPOTENTIALS, **machine)
    return pwscf.calculate(atoms or pair(), settings, machine, folder, needs_stress)


def lithium() -> Atoms:
    cell = [[3.4, 0, 0], [0.1, 3.45, 0], [0.1, 0.1, 3.5]]
    return Atoms("Li2", [[0.05, 0, 0], [1.75, 1.72, 1.7]], cell=cell, pbc=True)


def test_a_label_is_the_recorded_one(campaign):
    (frame,), rows = label(campaign, [pair()])
    then = espresso_output.parse_output(recorded("success"))
    assert outcomes(rows) == [("as asked", "SUCCESS")] and rows[0]["program"] == "pw.x 7.2"
    assert frame.info["REF_energy"] == pytest.approx(then.energy, abs=1e-6)
    assert frame.arrays["REF_forces"] == pytest.approx(then.forces, abs=1e-3)


def test_forces_and_stress_are_derivatives_of_the_energy(tmp_path):
    """The stress at a cutoff where its basis-set error is small against itself."""
    settings = {**SETTINGS, "ecutwfc": 60, "conv_thr": 1e-9}

    def run(name, atoms, needs_stress=False):
        folder = tmp_path / name
        folder.mkdir()
        return calculated(folder, settings, atoms, needs_stress=needs_stress)

    here, energies, strained = run("here", pair(), True), [], []
    for sign in (-1, 1):
        moved, squeezed = pair(2.47 + sign * 0.01), pair()
        squeezed.set_cell(pair().cell * (1 + np.diag([sign * 0.005, 0, 0])), scale_atoms=True)
        energies.append(run(f"moved{sign}", moved).energy)
        strained.append(run(f"strained{sign}", squeezed).energy)
    assert here.forces[1, 0] == pytest.approx(-(energies[1] - energies[0]) / 0.02, abs=0.02)
    stress_xx = (strained[1] - strained[0]) / 0.01 / pair().get_volume()
    assert here.stress[0] == pytest.approx(stress_xx, abs=0.1 * abs(stress_xx))


@pytest.mark.parametrize("rung", NUMERIC_RUNGS, ids=lambda rung: rung.name)
def test_every_rung_reaches_the_same_label(tmp_path, rung):
    """Its keys are pw.x's, and what it converges to does not depend on it: `label_id` does not either."""
    settings = rung.applied(SMEARED, {"nbnd": 6})
    settings.pop("npool", None)  # the wheel has one process
    calculation = calculated(tmp_path, settings)
    then = espresso_output.parse_output(recorded("success"))
    assert calculation.fault is None
    assert calculation.energy == pytest.approx(then.energy, abs=1e-4)
    assert calculation.forces == pytest.approx(then.forces, abs=5e-3)


def test_too_few_steps_climb_until_there_are_enough(campaign):
    (frame,), rows = label(campaign, [pair()], settings={**SETTINGS, "electron_maxstep": 8})
    assert outcomes(rows) == [("as asked", "UNCONVERGED"), ("repeated", "UNCONVERGED"), ("gentle mixing", "SUCCESS")]
    assert rows[0]["scf_steps"] == "8" and "after 8 iterations" in rows[0]["evidence"]
    assert frame.info["REF_energy"] == pytest.approx(espresso_output.parse_output(recorded("success")).energy, abs=1e-4)


def test_an_unconverged_scf_that_pw_may_call_converged_is_refused(campaign, monkeypatch):
    """With scf_must_converge = .false., which a config cannot set."""
    whole = pwscf.espresso_input.input_text

    def lenient(*arguments):
        return whole(*arguments).replace("&ELECTRONS", "&ELECTRONS\n   scf_must_converge = .false.")

    monkeypatch.setattr(pwscf.espresso_input, "input_text", lenient)
    frames, rows = label(campaign, [pair()], settings={**SETTINGS, "electron_maxstep": 1})
    kept = sorted((campaign.folder / "failed").iterdir())
    assert "convergence has been achieved" in kept[0].read_text() and "JOB DONE" in kept[0].read_text()
    assert outcomes(rows)[0] == ("as asked", "UNCONVERGED") and not frames


def test_electrons_in_the_highest_band_are_seen(campaign):
    """Two electrons of a metal in two bands."""
    calculation = calculated(campaign.folder, METAL, lithium())
    assert calculation.fault.outcome == "TOP_BAND_OCCUPIED" and calculation.chosen["nbnd"] == 2
    (root,) = (ElementTree.parse(path).getroot() for path in campaign.folder.glob("out/pwscf.save/*.xml"))
    assert root.find(".//output/band_structure/nbnd").text == "2"
    frames, rows = label(campaign, [lithium()], settings=METAL)
    assert outcomes(rows) == [("as asked", "TOP_BAND_OCCUPIED"), ("more bands", "SUCCESS")] and len(frames) == 1
    assert "changed" not in frames[0].info, "bands that hold nothing are no physics"


def test_a_wrong_key_is_pw_s_word_before_the_first_step(campaign):
    with pytest.raises(MachineFault, match="BAD_INPUT"):
        label(campaign, [pair()], settings={**SETTINGS, "system": {"no_such_key": 1}})
    with pytest.raises(MachineFault, match="BAD_INPUT"):
        label(campaign, [pair()], settings={**SETTINGS, "system": {"nspin": 3}}, name="batch1")
    assert not (campaign.folder / "batch0.csv").exists()


def test_settings_at_which_pw_stops_without_an_error_are_no_fault_of_the_structure(campaign):
    """DFT-D3 has no parameters for LDA: pw.x says so in a line, and ends with exit status 0."""
    with pytest.raises(MachineFault, match="BAD_INPUT .* functional name unknown"):
        label(campaign, [pair()], settings={**SETTINGS, "system": {"vdw_corr": "dft-d3"}})


def test_a_functional_that_is_not_the_asked_one_is_seen(campaign, monkeypatch):
    whole = pwscf.espresso_input.input_text
    monkeypatch.setattr(
        pwscf.espresso_input, "input_text", lambda *a: whole(*a).replace("&SYSTEM", "&SYSTEM\n input_dft = 'pbe'")
    )
    with pytest.raises(MachineFault, match=r"WRONG_SETTINGS .* functional .1, 4, 3, 4., asked for LDA"):
        label(campaign, [pair()])


def test_a_run_stopped_by_the_clock_goes_on_from_its_density(campaign):
    """At 250 Ry it takes longer than the second that pw.x is given at the least."""
    settings = {**SETTINGS, "ecutwfc": 250}
    with pytest.raises(MachineFault, match="OUT_OF_TIME .* Ry after"):
        label(campaign, [pair()], settings=settings, deadline=time.monotonic() + pwscf.MARGIN_S)
    (density,) = campaign.folder.glob("scratch/*/out/pwscf.save/charge-density.dat")
    frames, rows = label(campaign, [pair()], settings=settings)
    assert len(frames) == 1 and not density.exists()
    assert outcomes(rows) == [("as asked", "OUT_OF_TIME"), ("as asked", "SUCCESS")]


def test_a_density_is_where_the_scf_begins(tmp_path):
    """Damaged, it would not be read; pw.x is asked for it, and reads it."""
    keep = {**SETTINGS, "electron_maxstep": 6}
    first = calculated(tmp_path, keep)
    assert first.fault.outcome == "UNCONVERGED" and list(tmp_path.glob("out/*.save/charge-density.dat"))
    second = calculated(tmp_path, keep)
    assert second.fault is None and second.scf_steps <= 6
    assert "startingpot      = 'file'" in (tmp_path / "pw.in").read_text()
    assert "The initial density is read from file" in second.printed


def test_a_pw_killed_on_its_way_is_no_fault_of_the_structure(campaign):
    killed = campaign.folder / "killed"
    killed.write_text(f'#!/bin/sh\n{PW} "$@" | head -60\nkill -9 $$\n')
    killed.chmod(0o755)
    with pytest.raises(MachineFault, match="KILLED .* by SIGKILL"):
        label(campaign, [pair()], pw_command=str(killed))
    assert len(label(campaign, [pair()])[0]) == 1


def test_short_of_memory_says_what_pw_estimated(campaign):
    """In an address space that holds two ions at 15 Ry, and not at 300."""
    limited = campaign.folder / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -v 280000\nexec {PW} "$@"\n')
    limited.chmod(0o755)
    settings = {**SETTINGS, "ecutwfc": 300}
    with pytest.raises(
        MachineFault, match=r"OUT_OF_MEMORY .* estimated 139.09 MB a process, the job has 280 MB in all"
    ):
        label(campaign, [pair()], settings=settings, pw_command=str(limited), mem_mb=280)
    assert len(label(campaign, [pair()], pw_command=str(limited))[0]) == 1


def test_pw_on_a_full_disk_is_no_fault_of_the_structure(campaign):
    """24 KiB hold its input and half of its output."""
    disk = campaign.folder / "scratch"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "none", disk], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"needs to mount a small tmpfs: {mount.stderr.strip()}")
    try:
        with pytest.raises(MachineFault, match=f"DISK_FULL .*{disk}.*No space left.* set the resource scratch"):
            label(campaign, [pair()])
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    frames, rows = label(campaign, [pair()])
    assert len(frames) == 1 and outcomes(rows) == [("as asked", "DISK_FULL"), ("as asked", "SUCCESS")]
