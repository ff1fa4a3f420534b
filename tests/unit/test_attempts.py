"""Attempt after attempt, with a labeller that plays outcomes: order, settings, what is kept, where a job goes on."""

import time
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from labelling import LADDER, LIMITS, SETTINGS, pair
from thermoweave import ladder
from thermoweave.attempts import COLUMNS, Batch, MachineFault, climb
from thermoweave.gate import MACHINE_FAULTS, Calculation, Verdict
from thermoweave.labellers import Machine, pwscf

NAME = "ab" * 32
CHOSEN = {"nbnd": 10, "npool": 1}


class Player:
    """A labeller whose attempts end as told; it keeps the settings and the folder's content that each one saw."""

    def __init__(self, *outcomes: str, chosen=CHOSEN):
        self.outcomes, self.chosen = list(outcomes), chosen
        self.settings, self.found = [], []

    def calculate(self, atoms, settings, machine, folder, needs_stress) -> Calculation:
        self.settings.append(settings)
        self.found.append(sorted(path.name for path in folder.iterdir()))
        (folder / "density").write_text("half")
        outcome = self.outcomes.pop(0)
        if outcome == "SUCCESS":
            return Calculation(-1.0, np.zeros((2, 3)), evidence="fine", scf_steps=9, chosen=self.chosen, program="pw 7")
        return Calculation(fault=Verdict(outcome, f"was {outcome}"), chosen=self.chosen, printed=f"printed {outcome}")


@pytest.fixture
def climbing(tmp_path):
    """A function that climbs with a player: names and outcomes of the attempts, and the fault that ended the job."""

    def climbed(player, last=None, allowed=(), atoms=None, settings=SETTINGS, **machine):
        rungs = ladder.read(LADDER, "pwscf", pwscf.NUMERICS, list(allowed))
        folders = tmp_path / "scratch", tmp_path / "failed"
        labeller = SimpleNamespace(calculate=player.calculate)
        batch = Batch(labeller, settings, rungs, LIMITS, False, Machine(**machine), *folders)
        found, fault = [], None
        try:
            for attempt, _, _ in climb(atoms or pair(), NAME, batch, last):
                found.append(attempt)
        except MachineFault as error:
            fault = str(error)
        climbed.attempts = found
        return [(a.rung, a.outcome) for a in found], fault

    climbed.scratch, climbed.failed = tmp_path / "scratch", tmp_path / "failed"
    return climbed


def row(rung: str, outcome: str) -> dict:
    return {"label_id": NAME, "rung": rung, "outcome": outcome}


def test_success_ends_the_climb(climbing):
    assert climbing(Player("SUCCESS")) == ([("as asked", "SUCCESS")], None)
    assert not (climbing.scratch / NAME[:16]).exists() and not climbing.failed.exists()


def test_a_flaky_scf_is_repeated_unchanged(climbing):
    player = Player("UNCONVERGED", "SUCCESS")
    assert climbing(player)[0] == [("as asked", "UNCONVERGED"), ("repeated", "SUCCESS")]
    assert player.settings == [SETTINGS, SETTINGS]


def test_every_rung_starts_from_the_config_and_a_clean_folder(climbing):
    player = Player(*["UNCONVERGED"] * 7)
    attempts, fault = climbing(player)
    assert [rung for rung, _ in attempts][2:4] == ["gentle mixing", "local mixing"] and fault is None
    assert player.settings[2] == {**SETTINGS, "mixing_beta": 0.42, "electron_maxstep": 200}
    local = {"mixing_mode": "local-TF", "mixing_beta": pytest.approx(0.28), "electron_maxstep": 300}
    assert player.settings[3] == {**SETTINGS, **local}
    assert player.found == [[]] * 7


def test_the_next_rung_depends_on_the_last_outcome(climbing):
    player = Player("UNCONVERGED", "TOP_BAND_OCCUPIED", "TOP_BAND_OCCUPIED", "UNCONVERGED")
    assert [rung for rung, _ in climbing(player)[0]] == ["as asked", "repeated", "more bands", "many more bands"]
    assert [settings.get("nbnd") for settings in player.settings] == [None, None, 13, 20]


def test_every_failed_output_is_kept(climbing):
    climbing(Player("UNCONVERGED", "STOPPED", "SUCCESS"))
    kept = {path.name: path.read_text() for path in climbing.failed.iterdir()}
    assert kept == {f"{NAME}-0.out": "printed UNCONVERGED", f"{NAME}-1.out": "printed STOPPED"}


def test_an_attempt_has_all_columns(climbing):
    climbing(Player("UNCONVERGED", "SUCCESS"), threads=3)
    attempt = climbing.attempts[-1]
    assert list(asdict(attempt)) == COLUMNS
    assert (attempt.label_id, attempt.concentration, attempt.temperature) == (NAME, "x0.50", "T900")
    assert (attempt.evidence, attempt.scf_steps, attempt.program) == ("fine", 9, "pw 7")
    assert attempt.core_s == pytest.approx(3 * attempt.wall_s, abs=0.02)


def test_atoms_on_top_of_each_other_are_never_computed(climbing):
    player = Player()
    assert climbing(player, atoms=pair(0.1)) == ([("as asked", "TOO_CLOSE")], None)
    assert climbing(player, last=row("as asked", "TOO_CLOSE"), atoms=pair(0.1)) == ([], None), "said once"


@pytest.mark.parametrize("outcome", MACHINE_FAULTS)
def test_a_fault_of_the_machine_ends_the_job_with_its_evidence(climbing, outcome):
    attempts, fault = climbing(Player(outcome))
    assert attempts == [("as asked", outcome)], "on record"
    assert fault == f"{outcome} ({MACHINE_FAULTS[outcome]}): was {outcome}"


def test_short_of_memory_pools_are_halved_where_there_are_any(climbing):
    player = Player("OUT_OF_MEMORY", "OUT_OF_MEMORY", "SUCCESS", chosen={"nbnd": 4, "npool": 8})
    assert [rung for rung, _ in climbing(player, npool=8)[0]] == ["as asked", "fewer pools", "one pool"]
    assert [settings.get("npool") for settings in player.settings] == [None, 4, 1]


def test_a_physics_rung_is_climbed_last_and_only_if_allowed(climbing):
    assert climbing(Player(*["UNCONVERGED"] * 7))[0][-1] == ("random start", "UNCONVERGED")
    player = Player(*["UNCONVERGED"] * 7, "SUCCESS")
    assert climbing(player, allowed=["slight smearing"])[0][-1] == ("slight smearing", "SUCCESS")
    smeared = {"occupations": "smearing", "smearing": "gaussian", "degauss": 0.002}
    assert player.settings[-1] == {**SETTINGS, **smeared}


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (None, "as asked"),
        (row("as asked", "UNCONVERGED"), "repeated"),
        (row("repeated", "UNCONVERGED"), "gentle mixing"),
        (row("repeated", "STOPPED"), "gentle mixing"),
        (row("local mixing", "PROGRAM_ERROR"), "paro"),
        (row("conjugate gradient", "KILLED"), "conjugate gradient"),
        (row("conjugate gradient", "OUT_OF_TIME"), "conjugate gradient"),
        (row("repeated", "BAD_INPUT"), "repeated"),
        (row("repeated", "DISK_FULL"), "repeated"),
        (row("repeated", "NOT_STARTED"), "repeated"),
        (row("repeated", "WRONG_SETTINGS"), "repeated"),
        (row("repeated", "OUT_OF_MEMORY"), "repeated"),
        (row("a rung that was removed", "UNCONVERGED"), "as asked"),
        (row("repeated", "SUCCESS"), "as asked"),
        (row("", "STORED"), "as asked"),
    ],
)
def test_a_killed_job_goes_on_behind_its_last_attempt(climbing, last, first):
    assert climbing(Player("SUCCESS"), last=last) == ([(first, "SUCCESS")], None)


@pytest.mark.parametrize(("rung", "outcome"), [("random start", "UNCONVERGED"), ("repeated", "NET_FORCE")])
def test_a_structure_that_came_to_the_ladder_s_end_stays_there(climbing, rung, outcome):
    assert climbing(Player(), last=row(rung, outcome)) == ([], None)


@pytest.mark.parametrize("outcome", ["TOP_BAND_OCCUPIED", "OUT_OF_TIME"])
def test_a_rung_that_is_gone_on_with_has_its_settings(climbing, outcome):
    """How many bands pw.x chose is not on record: an attempt must not carry the name of a rung that it did not take."""
    player = Player("TOP_BAND_OCCUPIED", "SUCCESS", "SUCCESS")
    climbing(player, last=row("as asked" if outcome == "TOP_BAND_OCCUPIED" else "more bands", outcome))
    taken = dict(zip([attempt.rung for attempt in climbing.attempts], player.settings, strict=False))
    assert taken["more bands"]["nbnd"] == 13


def test_only_a_run_stopped_by_the_clock_leaves_its_density(climbing):
    climbing(Player("OUT_OF_TIME"))
    player = Player("SUCCESS")
    climbing(player, last=row("as asked", "OUT_OF_TIME"))
    assert player.found == [["density"]] and not (climbing.scratch / NAME[:16]).exists()
    for outcome in MACHINE_FAULTS.keys() - {"OUT_OF_TIME"}:
        climbing(Player(outcome))
        assert not (climbing.scratch / NAME[:16]).exists()


@pytest.mark.parametrize("last", [None, row("as asked", "KILLED"), row("as asked", "UNCONVERGED")])
def test_what_a_killed_job_left_half_written_is_not_begun_from(climbing, last):
    (climbing.scratch / NAME[:16]).mkdir(parents=True)
    (climbing.scratch / NAME[:16] / "density").write_text("ha")
    player = Player("SUCCESS")
    climbing(player, last=last)
    assert player.found == [[]]


def test_nothing_is_begun_behind_the_deadline(climbing):
    attempts, fault = climbing(Player(), deadline=time.monotonic())
    assert attempts == [] and "runtime is over; run it again, or raise `runtime`" in fault


def test_nor_between_two_rungs(climbing):
    player = Player("UNCONVERGED")
    calculate = player.calculate

    def slow(*arguments):
        time.sleep(0.2)
        return calculate(*arguments)

    player.calculate = slow
    attempts, fault = climbing(player, deadline=time.monotonic() + 0.1)
    assert attempts == [("as asked", "UNCONVERGED")] and "runtime is over" in fault


def test_a_gate_that_was_loosened_lets_the_structure_be_computed(climbing):
    climbing(Player("SUCCESS"), last=row("as asked", "TOO_CLOSE"))
    assert [attempt.outcome for attempt in climbing.attempts] == ["SUCCESS"]
