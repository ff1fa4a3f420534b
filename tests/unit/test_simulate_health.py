"""Runs that break a limit: they stop, say why, and leave the others of their batch alone."""

from dataclasses import replace

import argon
import numpy as np
import pytest
from ase.build import bulk
from simulate_judge import fault
from thermoweave.frames import write_frames

LIQUID = {"min_displacement": 0.1, "max_cavity": 5.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return argon.run(tmp_path_factory.mktemp("whole"), replicas=2)


def test_a_collapse_stops_at_once_and_not_at_the_next_frame(tmp_path):
    found = argon.facts(argon.run(tmp_path, limits=replace(argon.LIMITS, max_force=0.05)))
    assert found["steps"] % argon.PROTOCOL.frame_interval != 0
    assert "force of" in found["sick"]


def test_a_hot_run_stops_says_why_and_keeps_the_bad_frame_apart(tmp_path):
    folder = argon.run(tmp_path, limits=replace(argon.LIMITS, max_temperature_ratio=1.15))
    found = argon.facts(folder)
    assert "target 90 K" in found["sick"] and 0 < found["frames"] < 80
    assert "target 90 K" in (folder / "bad_frame.extxyz").read_text()
    assert argon.frames(folder, "temperature")[0].max() < 1.15 * 90
    assert fault(found, max_wall_contacts=9, liquid=None) == found["sick"]


def test_a_close_pair_is_named(tmp_path):
    found = argon.facts(argon.run(tmp_path, limits=replace(argon.LIMITS, min_distance=3.9)))
    assert "Ar-Ar at 3." in found["sick"]


class Brittle(argon.Session):
    """Fails with the first system that has moved for more than 50 steps, and with none of another size."""

    def advance(self, systems, drives, *arguments):
        if any(len(system.atoms) == 32 and system.steps > 50 for system in systems):
            raise RuntimeError("lost atoms")
        yield from super().advance(systems, drives, *arguments)


@pytest.mark.parametrize("together", [False, True])
def test_a_member_that_fails_does_not_take_the_others_down(finished, tmp_path, monkeypatch, together):
    """Cells of different size in one batch, on the same footing whether the engine moves them together or not."""
    monkeypatch.setattr(argon.engine, "TOGETHER", together)
    larger = tmp_path / "start2.extxyz"
    start = argon.start
    monkeypatch.setattr(argon, "start", lambda path: start(path, (3, 2, 2) if path == larger else (2, 2, 2)))
    argon.run(tmp_path, replicas=2, session=Brittle)
    assert "lost atoms" in argon.facts(tmp_path / "replica1")["sick"]
    well = argon.facts(tmp_path / "replica2")
    assert well["sick"] == "" and well["frames"] == 80 and well["atoms"] == 48


@pytest.mark.parametrize("together", [False, True])
def test_a_sick_member_does_not_change_the_others(finished, tmp_path, monkeypatch, together):
    """The first replica's frames are those of a batch in which all are well."""
    monkeypatch.setattr(argon.engine, "TOGETHER", together)
    start = argon.start

    def overlapping(path):
        start(path)
        if path.name == "start2.extxyz":
            atoms = bulk("Ar", "fcc", a=5.6, cubic=True) * (2, 2, 2)
            atoms.positions[1] = atoms.positions[0] + [0.3, 0, 0]
            write_frames(path, [atoms])
        return path

    monkeypatch.setattr(argon, "start", overlapping)
    argon.run(tmp_path, replicas=2, limits=replace(argon.LIMITS, max_force=0.8))
    assert argon.facts(tmp_path / "replica2")["sick"]
    np.testing.assert_array_equal(
        *(argon.frames(folder, "coordinates")[0] for folder in (finished, tmp_path / "replica1"))
    )


def test_one_more_try_with_half_the_time_step(tmp_path):
    """A step of 100 fs is too long for argon; one of 50 is not."""
    lengths = {"heating_ps": 1.0, "equilibration_ps": 2.0, "production_ps": 6.0}
    protocol = replace(argon.PROTOCOL, timestep_fs=100.0, frame_interval=2, **lengths)
    once = argon.facts(argon.run(tmp_path / "once", protocol=protocol))
    assert "target 90 K" in once["sick"] and not once["half_step"]
    folder = argon.run(tmp_path / "twice", protocol=protocol, checks=replace(argon.CHECKS, retry_half_step=True))
    twice = argon.facts(folder)
    assert twice["half_step"] and twice["first_fault"] == once["sick"] and twice["sick"] == ""
    assert twice["timestep_fs"] == 50
    np.testing.assert_allclose(np.diff(argon.frames(folder, "time")[0]), 0.2)


class Leaking(argon.Session):
    """Its energy is not that of its forces: it grows with every step."""

    def advance(self, systems, *arguments):
        for _ in super().advance(systems, *arguments):
            for system in systems:
                system.energy += 1e-3 * system.steps
            yield


def test_a_drift_of_the_energy_ends_the_run_on_its_way(tmp_path):
    found = argon.facts(argon.run(tmp_path, session=Leaking, checks=replace(argon.CHECKS, max_drift=1.0)))
    assert "the conserved energy drifts by 6.2" in found["sick"] and found["frames"] < 80


@pytest.mark.parametrize(("allowed", "sick"), [(1.0, False), (1e-4, True)])
def test_a_committee_judges_every_so_many_frames(tmp_path, monkeypatch, allowed, sick):
    """Of two potentials whose depths differ by 10 %; its limit ends a run, and no smaller time step is tried for it."""
    members = {"1": argon.Argon(**argon.PAIR), "2": argon.Argon(**{**argon.PAIR, "epsilon": 1.1 * 0.0104})}
    monkeypatch.setattr(argon.simulate_md.potentials, "load", lambda path, device: members[path])
    monkeypatch.setattr(argon.simulate_md, "identity", lambda manifest: [])
    committee = {"every": 10, "max_force_deviation": allowed}
    checks = replace(argon.CHECKS, committee=committee, retry_half_step=True)
    folder = argon.run(tmp_path, checks=checks, committee=list(members))
    found = argon.facts(folder)
    if sick:
        assert "committee deviation of 0.0" in found["sick"] and found["frames"] == 9 and not found["half_step"]
    else:
        assert found["sick"] == "" and 1e-4 < found["force_deviation_eV_A"] < 0.1


class Broken(argon.Session):
    """What `fault` says happens to the first of two systems of different size after 100 steps."""

    fault = ""

    def advance(self, systems, *arguments):
        for _ in super().advance(systems, *arguments):
            for system in systems:
                if len(system.atoms) == 32 and system.steps > 100:
                    if self.fault == "momenta":
                        system.atoms.arrays["momenta"][:] = np.nan
                    elif self.fault == "energy":
                        system.energy = np.nan
                    else:
                        raise RuntimeError(self.fault)
            yield


@pytest.mark.parametrize("kind", ["momenta", "energy"])
def test_what_is_no_number_ends_one_run_only(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(Broken, "fault", kind)
    argon.start(tmp_path / "start2.extxyz", (3, 2, 2))
    argon.run(tmp_path, replicas=2, session=Broken)
    assert "is not a finite number" in argon.facts(tmp_path / "replica1")["sick"]
    assert argon.facts(tmp_path / "replica2")["sick"] == "" and argon.facts(tmp_path / "replica2")["frames"] == 80


def test_the_machines_fault_is_no_verdict(tmp_path, monkeypatch):
    monkeypatch.setattr(Broken, "fault", "CUDA out of memory")
    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        argon.run(tmp_path, session=Broken)
    assert not (tmp_path / "replica1/facts.json").exists()
