"""A pw.x that fails, in every way that it can: recovered, or refused with a sentence; and the next run finishes."""

import shutil
import time

import pytest
from labelling import HEADING, PSEUDOPOTENTIALS, SETTINGS, Campaign, outcomes, pair, prints, program
from thermoweave.attempts import MachineFault

SUCCESS = prints("success")
NAN = f"{SUCCESS} | sed 's/force =     0.13779691/force =            NaN/'"
ASTERISKS = f"{SUCCESS} | sed 's/force =     0.13779691/force = **************/'"


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


@pytest.fixture
def pseudopotentials(tmp_path):
    """A folder of one's own, without SHA256SUMS."""
    folder = tmp_path / "pseudopotentials"
    folder.mkdir()
    for name in ("Li.gth", "Cl.gth"):
        shutil.copy(PSEUDOPOTENTIALS / name, folder)
    return folder


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ("exit 1", "NOT_STARTED .*exit status 1.: silence"),
        ("echo pw.x: command not found >&2; exit 127", "NOT_STARTED .* pw.x: command not found"),
        ("echo error while loading shared libraries: libmpi.so; exit 127", "NOT_STARTED .* libmpi.so"),
        ("echo garbage", "NOT_STARTED .*exit status 0.: garbage"),
        ("head -c 3000 /dev/urandom", "NOT_STARTED"),
        ("", "NOT_STARTED .* silence"),
        ("kill -9 $$", "KILLED .* by SIGKILL; memory may be short"),
        (
            f"{prints('stopped')}; kill -9 $$",
            "KILLED .* by SIGKILL; memory may be short: pw.x estimated 1.74 MB a proc",
        ),
        ("exit 137", "KILLED .* by SIGKILL"),
        (f"{HEADING}; exit 139", "KILLED .* by SIGSEGV: Program PWSCF"),
        (f"{HEADING}; kill -15 $$", "KILLED .* by SIGTERM"),
        (f"{HEADING}; echo functional name unknown", "BAD_INPUT .* functional name unknown"),
        (
            f"{HEADING}; echo 'cannot open'; exit 255",
            "BAD_INPUT .* exit status 255 before its first SCF step: .* cannot",
        ),
        (f"{prints('no_pseudopotential')}; exit 1", "BAD_INPUT .* readpp .1.: file ./nowhere/Li.gth not found"),
        (f"{prints('out_of_memory')}; exit 1", "OUT_OF_MEMORY .* estimated 139.09 MB a process: raise mem_mb"),
        (prints("pbe"), r"WRONG_SETTINGS .* functional .1, 4, 3, 4., asked for LDA"),
        (f"{SUCCESS} | sed 's/= *15.0000  Ry/= 12.0000  Ry/'", "WRONG_SETTINGS .* cutoff of 12.0 Ry, asked for 15"),
        (f"{SUCCESS} | sed s/9c63004e/00000000/", "WRONG_SETTINGS .* pseudopotential of Cl with md5 00000000"),
        (f"{prints('max_seconds')}; exit 255", "OUT_OF_TIME .* 2.9e.00 Ry after 2 iterations"),
    ],
)
def test_a_fault_of_the_machine_rejects_nothing_and_the_next_run_finishes(campaign, scene, said):
    with pytest.raises(MachineFault, match=said):
        campaign.label([pair()], scene)
    assert not (campaign.folder / "batch0.csv").exists() and not (campaign.folder / "batch0.extxyz").exists()
    (row,) = campaign.partial_record()
    assert row["outcome"] == said.split()[0] and campaign.n_calls == 1
    frames, rows = campaign.label([pair()], SUCCESS)
    assert len(frames) == 1 and outcomes(rows) == [("as asked", said.split()[0]), ("as asked", "SUCCESS")]


@pytest.mark.parametrize(
    ("scene", "outcome", "evidence"),
    [
        (prints("stopped"), "STOPPED", "does not end with JOB DONE"),
        (f"{SUCCESS} | sed '/iteration #  1/,$d'", "STOPPED", "before the first SCF iteration"),
        (f"{SUCCESS} | sed '/iteration #  3/,$d'; exit 1", "STOPPED", "2.9e+00 Ry after 2 iterations"),
        (f"{prints('stopped')}; exit 255", "STOPPED", "does not end with JOB DONE"),
        (f"{prints('unconverged')}; exit 2", "UNCONVERGED", "3.0e-01 Ry after 3 iterations"),
        (prints("unconverged_said_converged"), "UNCONVERGED", "3.0e-01 Ry after"),
        (NAN, "NO_FORCES", "not a finite number"),
        (ASTERISKS, "NO_FORCES", "not a finite number"),
    ],
)
def test_a_fault_of_the_structure_climbs(campaign, scene, outcome, evidence):
    frames, rows = campaign.label([pair()], scene, SUCCESS)
    assert len(frames) == 1 and outcomes(rows) == [("as asked", outcome), ("repeated", "SUCCESS")]
    assert evidence in rows[0]["evidence"]


def test_an_error_of_pw_climbs_with_its_words(campaign):
    box = " %%%%\n     Error in routine cdiaghg (9):\n     S matrix not positive definite\n %%%%\n"
    start = f"{SUCCESS} | sed '/iteration #  2/,$d'; printf '{box.replace('%', '%%')}'; exit 1"
    frames, rows = campaign.label([pair()], start, SUCCESS)
    assert len(frames) == 1 and rows[0]["outcome"] == "PROGRAM_ERROR"
    assert rows[0]["evidence"] == "cdiaghg (9): S matrix not positive definite"


def test_a_report_of_memory_is_no_lack_of_it(campaign):
    """pw.x prints this where its diagonalisation has trouble; what ends the run is something else."""
    scene = f"{prints('stopped')}; echo '   0 MiB allocation reported by mallinfo(arena+hblkhd)'; exit 1"
    _, rows = campaign.label([pair()], scene, SUCCESS)
    assert rows[0]["outcome"] == "STOPPED"


def test_a_missing_program_says_what_to_set(campaign):
    for command in ("no-such-pw.x", "", str(campaign.folder)):
        with pytest.raises(MachineFault, match="NOT_STARTED .* set the resource pw_command .*make doctor"):
            campaign.label([pair()], pw_command=command)


def test_a_program_of_another_kind_says_what_to_set(campaign):
    """Without a first line that names a shell, as a binary of another machine."""
    file = campaign.folder / "other"
    program(file, "")
    file.write_text("\x7fELF")
    with pytest.raises(MachineFault, match="NOT_STARTED .*Exec format error.* set the resource pw_command"):
        campaign.label([pair()], pw_command=str(file))


def test_out_of_memory_takes_fewer_pools(campaign):
    scene = f"{prints('out_of_memory')}; exit 1"
    frames, rows = campaign.label([pair()], scene, scene, SUCCESS, npool=4, mem_mb=2000)
    assert len(frames) == 1 and [row["rung"] for row in rows] == ["as asked", "fewer pools", "one pool"]
    assert "the job has 2000 MB in all" in rows[0]["evidence"]
    given = [campaign.call(number, "arguments").split() for number in range(3)]
    assert given == [["-nk", "4", "-in", "pw.in"], ["-nk", "2", "-in", "pw.in"], ["-in", "pw.in"]]


@pytest.mark.parametrize(
    ("arguments", "tasks", "threads", "given"),
    [
        ("", 1, "3", "-in pw.in"),
        ("-np {threads} x", 1, "1", "-np 3 x -in pw.in"),
        ("-np {threads} x", 2, "1", "-np 6 x -in pw.in"),
        ("-np {tasks} x", 2, "3", "-np 2 x -in pw.in"),
    ],
)
def test_cores_are_threads_or_ranks(campaign, arguments, tasks, threads, given):
    command = f"{campaign.pw((SUCCESS,))} {arguments}"
    _, rows = campaign.label([pair()], threads=3, tasks=tasks, pw_command=command)
    assert campaign.call(0, "threads").strip() == threads and campaign.call(0, "arguments").strip() == given
    assert float(rows[0]["core_s"]) == pytest.approx(3 * tasks * float(rows[0]["wall_s"]), abs=0.02 * tasks)


def test_pw_is_told_to_stop_half_a_minute_before_the_job(campaign):
    campaign.label([pair()], SUCCESS, deadline=time.monotonic() + 100)
    (line,) = [line for line in campaign.call(0).splitlines() if "max_seconds" in line]
    assert 65 < float(line.split("=")[1]) <= 70


def test_the_next_run_begins_from_the_density_of_one_stopped_by_the_clock(campaign):
    scene = f"mkdir -p out/pwscf.save; touch out/pwscf.save/charge-density.dat; {prints('max_seconds')}; exit 255"
    with pytest.raises(MachineFault, match="OUT_OF_TIME"):
        campaign.label([pair(2.3), pair()], SUCCESS, scene)
    assert len(list(campaign.folder.glob("scratch/*/out/pwscf.save/charge-density.dat"))) == 1
    frames, _ = campaign.label([pair(2.3), pair()], SUCCESS)
    begins = ["startingpot" in campaign.call(number) for number in range(3)]
    assert len(frames) == 2 and begins == [False, False, True]
    assert "startingpot      = 'file'" in campaign.call(2) and not (campaign.folder / "scratch").exists()


@pytest.mark.parametrize("outcome", ["kill -9 $$", f"{HEADING}; exit 137"])
def test_but_not_from_that_of_one_that_was_killed(campaign, outcome):
    with pytest.raises(MachineFault):
        campaign.label([pair()], f"mkdir -p out/pwscf.save; touch out/pwscf.save/charge-density.dat; {outcome}")
    campaign.label([pair()], SUCCESS)
    assert "startingpot" not in campaign.call(1)


def test_a_pw_that_hangs_is_ended_with_the_job(campaign):
    start = time.monotonic()
    with pytest.raises(MachineFault, match="OUT_OF_TIME .* did not stop itself in time; it said last: Program PWSCF"):
        campaign.label([pair()], f"{HEADING}; exec sleep 60", deadline=start + 1.5)
    assert time.monotonic() - start < 10
    assert campaign.label([pair()], SUCCESS)[0]


def test_nothing_is_begun_when_the_job_s_time_is_over(campaign):
    with pytest.raises(MachineFault, match="runtime is over"):
        campaign.label([pair()], deadline=time.monotonic())
    assert campaign.n_calls == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "Cl.gth").unlink(), "no pseudopotential for Cl"),
        (lambda folder: shutil.rmtree(folder), "no such folder of pseudopotentials .resource pseudo_dir"),
        (lambda folder: shutil.copy(folder / "Li.gth", folder / "Cl.gth"), "says that it is for Li, its name for Cl"),
        (lambda folder: (folder / "SHA256SUMS").write_text(f"{'0' * 64}  Cl.gth\n{'0' * 64}  Li.gth\n"), "damaged or"),
    ],
)
def test_a_wrong_pseudopotential_stops_the_job_before_the_first_label(campaign, pseudopotentials, change, said):
    change(pseudopotentials)
    with pytest.raises((OSError, ValueError), match=said):
        campaign.label([pair()], SUCCESS, pseudo_dir=pseudopotentials)
    assert campaign.n_calls == 0


def test_a_functional_that_the_files_are_not_made_for_stops_the_job(campaign):
    with pytest.raises(ValueError, match="made with LDA, label.pwscf.functional asks for PBE"):
        campaign.label([pair()], SUCCESS, settings={**SETTINGS, "functional": "PBE"})
    assert campaign.n_calls == 0


def test_a_crash_behind_job_done_takes_no_label_back(campaign):
    frames, _ = campaign.label([pair()], f"{SUCCESS}; kill -11 $$")
    assert len(frames) == 1


def test_a_pseudopotential_exchanged_within_a_batch_makes_no_label(campaign, pseudopotentials):
    """What is stored under the hashes of the files that the job began with was computed with these."""
    exchange = f"echo '# another' >> {pseudopotentials}/Li.gth"
    # pw.x prints the check sum of the file that it finds
    scene = f"{SUCCESS} | sed s/166e14e76d8f526f3b2d5481ca1f227f/$(md5sum < {pseudopotentials}/Li.gth | cut -c1-32)/"
    with pytest.raises((MachineFault, ValueError)):
        campaign.label([pair(), pair(2.3)], f"{scene}; {exchange}", scene, pseudo_dir=pseudopotentials)
    assert not list(campaign.store.folder.glob("*/*.extxyz"))


def test_a_rank_that_mpich_says_was_killed_rejects_nothing(campaign):
    """Its launcher ends with the bare number of the signal, which pw.x could have said itself."""
    banner = "=   EXIT CODE: 9\\nYOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)"
    with pytest.raises(MachineFault, match="KILLED .* by SIGKILL"):
        campaign.label([pair()], f"{prints('stopped')}; printf '{banner}\\n'; exit 9")
