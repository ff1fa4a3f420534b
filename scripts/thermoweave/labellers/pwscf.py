"""Labels from Quantum ESPRESSO's pw.x."""

import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from ase import Atoms

from thermoweave import espresso_input, espresso_output, pseudopotentials
from thermoweave.gate import Calculation, Verdict
from thermoweave.labellers import Machine, settings_hash

MODULES = ("espresso_input", "espresso_output", "pseudopotentials")
# How the SCF gets there; what it converges to does not depend on them.
NUMERICS = (espresso_input.ELECTRONS | {"nbnd", "npool"}) - {"conv_thr"}
# Not the cutoff: energies of two cutoffs differ by tenths of an eV an atom, and one training set cannot hold both.
RUNG_KEYS = espresso_input.ELECTRONS | espresso_input.SYSTEM - {"ecutwfc"} | {"npool"}
# Keys of &SYSTEM that the config has a key of its own for, or that follow from the structure.
NOT_IN_SYSTEM = espresso_input.SYSTEM | {"ibrav", "nat", "ntyp", "nosym", "input_dft", "celldm", "a", "b", "c"}
# pw.x takes any other word for none, without a word.
VDW_CORR = (
    "none", "dft-d", "grimme-d2", "dft-d3", "grimme-d3", "ts", "ts-vdw", "tkatchenko-scheffler", "mbd", "mbd_vdw",
    "many-body-dispersion", "xdm",
)  # fmt: skip
MARGIN_S = 30  # between max_seconds and the end of the job: pw.x looks at the clock once an iteration
DISK_PROBE = 2**20  # bytes
NO_MEMORY = r"cannot allocate memory|error allocating|allocation would exceed|out of memory|bad_alloc"
TIMED_OUT = 124  # as coreutils' timeout has it


def faults(settings: dict, species: set[str], pseudo_dir: Path) -> list[str]:
    """What config/schema.yaml cannot say of the section label.pwscf, and of the pseudopotentials."""
    found = []
    keys = {"smearing", "degauss"}
    if settings["occupations"] == "smearing":
        missing = sorted(keys - settings.keys())
        found += [f"label.pwscf.{key}: missing (needed with occupations: smearing)" for key in missing]
    else:
        found += [f"label.pwscf.{key}: only with occupations: smearing" for key in sorted(keys & settings.keys())]
    for key in sorted(k for k in settings.get("system", {}) if k.lower().partition("(")[0] in NOT_IN_SYSTEM):
        found.append(f"label.pwscf.system.{key}: set by label.pwscf or by the structure; remove it here")
    vdw = settings.get("system", {}).get("vdw_corr", "none")
    if str(vdw).lower() not in VDW_CORR:
        found.append(
            f"label.pwscf.system.vdw_corr: {vdw!r}: pw.x would go on without dispersion; it knows {', '.join(VDW_CORR)}"
        )
    for symbol in sorted(species):
        try:
            pseudopotentials.find(pseudo_dir, {symbol}, settings["functional"])
        except (OSError, ValueError) as error:
            found.append(f"label.pwscf: {error}")
    return list(dict.fromkeys(found))  # a missing folder is said once


def level(settings: dict, machine: Machine, species: set[str]) -> dict[str, str]:
    """Hashes of the settings that change the physics, and of each species' pseudopotential."""
    files = pseudopotentials.find(machine.pseudo_dir, species, settings["functional"])
    return {
        "settings": settings_hash("pwscf", settings, NUMERICS),
        **{symbol: pseudo.sha256 for symbol, pseudo in files.items()},
    }


def calculate(atoms: Atoms, settings: dict, machine: Machine, folder: Path, needs_stress: bool) -> Calculation:
    """One SCF in `folder`; a charge density that a run stopped by the clock left there is where it begins."""
    files = pseudopotentials.find(machine.pseudo_dir, set(atoms.symbols), settings["functional"])
    if list(folder.glob("out/*.save/charge-density.*")):
        settings = {**settings, "startingpot": "file"}
    text = espresso_input.input_text(
        atoms, settings, {symbol: pseudo.name for symbol, pseudo in files.items()},
        str(machine.pseudo_dir.resolve()), max(1.0, machine.seconds_left - MARGIN_S), needs_stress,
    )  # fmt: skip
    (folder / "pw.in").write_text(text)
    returncode, printed = run(machine, settings.get("npool", machine.npool), folder)
    xml = next(folder.glob("out/*.save/data-file-schema.xml"), None)
    output = espresso_output.parse_output(printed, xml.read_text(errors="replace") if xml else None)
    md5 = {symbol: pseudo.md5 for symbol, pseudo in files.items()}
    fault = _machine_fault(returncode, output, printed, machine, folder) or espresso_output.fault(output, settings, md5)
    last = output.accuracies[-1] if output.accuracies else float("nan")
    return Calculation(
        output.energy, output.forces, output.stress, fault,
        evidence=f"SCF accuracy {last:.1e} Ry after {len(output.accuracies)} iterations",
        scf_steps=len(output.accuracies), program=f"pw.x {output.version}" if output.version else "",
        chosen={"nbnd": output.nbnd, "npool": machine.npool}, printed=printed,
    )  # fmt: skip


def run(machine: Machine, npool: int, folder: Path) -> tuple[int | None, str]:
    """Start pw.x on `folder`/pw.in; its exit status (None where there is no such program) and what it printed.

    In pw_command, `{tasks}` is the number of the job's tasks, for MPI ranks of `threads` OpenMP threads each, and
    `{threads}` that of its cores, for as many ranks of one thread; without either, the cores are OpenMP threads.
    """
    words = shlex.split(machine.pw_command)
    command = [word.replace("{threads}", str(machine.cores)).replace("{tasks}", str(machine.tasks)) for word in words]
    command += ["-nk", str(npool)] if npool > 1 else []
    threads = 1 if "{threads}" in machine.pw_command else machine.threads
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    environment.setdefault("OPENBLAS_NUM_THREADS", str(threads))
    with open(folder / "pw.out", "w") as out:
        try:
            done = subprocess.run(
                [*command, "-in", "pw.in"], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=environment, preexec_fn=_die_with_parent,
                # max_seconds is pw.x's own; one that hangs (seen where memory was short) does not look at it
                timeout=max(1.0, machine.seconds_left) if machine.seconds_left < float("inf") else None,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return TIMED_OUT, (folder / "pw.out").read_text(errors="replace")
        except OSError as error:
            return None, f"{machine.pw_command!r}: {error.strerror}"
    return done.returncode, (folder / "pw.out").read_text(errors="replace")


def _machine_fault(
    returncode: int | None, output: espresso_output.PwOutput, printed: str, machine: Machine, folder: Path
) -> Verdict | None:
    """What the structure is not to blame for."""
    tail = " ".join(printed[-300:].split())
    if returncode is None:
        return Verdict(
            "NOT_STARTED", f"pw.x could not be started ({printed}): set the resource pw_command of rule "
            "label_structures in your profile (profiles/local/config.yaml shows how), or see `make doctor`",
        )  # fmt: skip
    if returncode == TIMED_OUT:
        return Verdict("OUT_OF_TIME", f"pw.x did not stop itself in time; it said last: {tail or 'nothing'}")
    if not output.job_done and (full := _disk_full(folder)):
        return Verdict("DISK_FULL", f"{folder}: {full}; make room there, or set the resource scratch to another folder")
    estimate = f"pw.x estimated {output.memory or 'nothing yet'} a process" + (
        f", the job has {machine.mem_mb} MB in all" if machine.mem_mb else ""
    )
    if returncode and not output.job_done and re.search(NO_MEMORY, printed, re.I):
        return Verdict("OUT_OF_MEMORY", f"{estimate}: raise mem_mb of rule label_structures, or give it more cores")
    # what a shell or an MPI launcher makes of a signal
    number = -returncode if returncode < 0 else returncode - 128  # pw.x out of time is 255
    if rank := re.search(r"EXIT STRING: .*\(signal (\d+)\)", printed):  # MPICH's launcher ends with the bare number
        number = int(rank.group(1))
    if 0 < number < signal.NSIG and not output.job_done:  # a crash behind JOB DONE takes nothing back
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        hint = f"; memory may be short: {estimate}" if number == signal.SIGKILL else f": {tail}"
        return Verdict("KILLED", f"pw.x was killed by {name}{hint}")
    if output.heading and not (output.scf_begun or output.error or output.out_of_time):
        return Verdict("BAD_INPUT", f"pw.x ended with exit status {returncode} before its first SCF step: {tail}")
    if not output.heading:
        return Verdict(
            "NOT_STARTED", f"pw.x did not get to its own heading (exit status {returncode}): {tail or 'silence'}"
        )
    return None


def _disk_full(folder: Path) -> str | None:
    """What the system says to a small file in `folder`: quotas, too, are met only by writing."""
    probe = folder / "probe"
    try:
        with open(probe, "wb") as file:
            file.write(bytes(DISK_PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror
    finally:
        probe.unlink(missing_ok=True)
    return None


def _die_with_parent() -> None:
    """In the child: a killed job leaves no pw.x behind that would go on using its cores (Linux only)."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
