"""Methods text: the production runs, by which potential and engine, for how long, and which of them failed."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from thermoweave.citations import PROGRAMS
from thermoweave.methods_text import between, capital, cite, counted, listed, method, number, numbers, was

SHOWN = 5  # failed runs with their reasons
ENGINES = {"ase": ("ASE", "ase"), "torchsim": ("torch-sim", "torch-sim-atomistic"), "lammps": ("LAMMPS", "deepmd-kit")}
BAROSTAT = "an isotropic stochastic cell rescaling"


def simulations(
    config: Mapping, verdicts: Sequence[Path], compiled: Sequence[Path], pins: Mapping[str, str]
) -> list[str]:
    """The runs of one backend. `compiled`: manifests of what ran them; `pins`: packages of their environment."""
    runs = [json.loads(Path(path).read_text()) for path in verdicts]
    protocol = config["simulate"]["protocol"]
    cubic = all(len(set(run["cell_A"])) == 1 for run in runs if "cell_A" in run)
    sizes = {run["atoms"] for run in runs if "atoms" in run}
    replicas = len({run["replica"] for run in runs})
    return [
        f"In all, {counted(len(runs), 'simulation')}, {counted(replicas, 'independent run')} of each condition, "
        f"{was(len(runs))} made of {listed(sorted(sizes))} atoms in {'cubic ' if cubic else ''}periodic cells with "
        f"{engines(runs, pins)} and {ran(runs, compiled)}.",
        f"The integrator was velocity Verlet{method('verlet')} with a time step of "
        f"{numbers(run['timestep_fs'] for run in runs if 'timestep_fs' in run)} fs: heating for "
        f"{number(protocol['heating_ps'])} ps, equilibration for {number(protocol['equilibration_ps'])} ps"
        f"{pressure(protocol)}, production for {number(protocol['production_ps'])} ps, of which a frame was kept every "
        f"{interval(protocol, runs)} fs ({numbers(run['frames_planned'] for run in runs)} frames).",
        thermostat(protocol),
        *cells(runs, protocol),
        *health(config["simulate"]["health"]),
        *judged(runs),
    ]


def engines(runs: Sequence[Mapping], pins: Mapping[str, str]) -> str:
    """Each engine with the version that the environment of the runs asks for."""
    told = []
    for engine, n in Counter(run["engine"] for run in runs).most_common():
        title, package = ENGINES[engine]
        if engine == "lammps":
            title, version = "LAMMPS and DeePMD's plugin (deepmd-kit", f" {pins[package]})"
        else:
            version = f" {pins[package]}"
        told.append(f"{title}{version}{cite(*PROGRAMS[engine])}" + (f" ({n} runs)" if n < len(runs) else ""))
    return listed(told)


def ran(runs: Sequence[Mapping], compiled: Sequence[Path]) -> str:
    """Which potentials moved the runs: replicas take them in turn (`compiled`), and no run of another one is accepted.

    The hash in a run is no help here: a manifest that was made again, with other times in it, has another.
    """
    used = sorted({(int(run["replica"]) - 1) % len(compiled) for run in runs})
    found = [json.loads(Path(compiled[k]).read_text()) for k in used]
    word = "potential of seed" if len(found) == 1 else "potentials of seeds"
    fast = "compiled " if any(manifest["compiled"] for manifest in found) else ""
    return f"the {fast}{word} {listed(sorted(str(manifest['seed']) for manifest in found))}"


def pressure(protocol: Mapping) -> str:
    density = protocol["density"]
    if density == "fixed":
        return ""
    return (
        f" and {number(density['npt_ps'])} ps at {number(density['pressure_GPa'])} GPa with {BAROSTAT}"
        f"{method('barostat')} (time constant {number(density['barostat_ps'])} ps), the mean volume of whose second "
        "half was kept"
    )


def interval(protocol: Mapping, runs: Sequence[Mapping]) -> str:
    """fs between frames: of the protocol's steps, or, where they were chosen for it, from the number of frames."""
    if protocol["frame_interval"] == "auto":
        return numbers(round(1000 * protocol["production_ps"] / run["frames_planned"], 3) for run in runs)
    steps = {run["timestep_fs"] for run in runs if "timestep_fs" in run and not run.get("half_step")}
    return numbers(round(step * protocol["frame_interval"], 6) for step in steps)


def thermostat(protocol: Mapping) -> str:
    early, late = protocol["equilibration_thermostat_ps"], protocol["production_thermostat_ps"]
    rescaling = f"stochastic velocity rescaling{method('thermostat')}"
    if late == "nve":
        return f"Equilibration used {rescaling} with a time constant of {number(early)} ps, production none (NVE)."
    return (
        f"The thermostat was a global {rescaling}, which leaves diffusion alone, with time constants of "
        f"{number(early)} ps in equilibration and {number(late)} ps in production."
    )


def cells(runs: Sequence[Mapping], protocol: Mapping) -> list[str]:
    found = [run["density_g_cm3"] for run in runs if "density_g_cm3" in run]
    how = "fixed" if protocol["density"] == "fixed" else "mean"
    return [f"The {how} densities were {between(found)} g/cm³."] if found else []


def health(limits: Mapping) -> list[str]:
    """What a run had to keep to."""
    told = [
        f"two atoms closer than {number(limits['min_distance'])} Å",
        f"a force above {number(limits['max_force'])} eV/Å",
        f"more than {number(limits['max_temperature_ratio'])} times the target temperature",
        f"a drift{method('drift')} of the conserved energy above {number(limits['max_drift'])} eV an atom and ns",
        f"more than {number(limits['max_wall_contacts'])} pairs of ions in the repulsive wall, mean over the frames",
    ]
    if limits["committee"] != "none":
        told.append(
            f"a scatter of the committee's forces above {number(limits['committee']['max_force_deviation'])} eV/Å"
        )
    if limits["liquid"]:
        liquid = limits["liquid"]
        told.append(f"a species that moves less than {number(liquid['min_displacement'])} Å in half of the run")
        told.append(f"a cavity of more than {number(liquid['max_cavity'])} Å radius")
    return [f"A run was rejected for {listed(told, 'or')}."]


def judged(runs: Sequence[Mapping]) -> list[str]:
    """How many runs passed, and why the others did not."""
    failed = [run for run in runs if not run["passed"]]
    halved = sum(bool(run.get("half_step")) for run in runs)
    passed = len(runs) - len(failed)
    sentences = [f"All {len(runs)} runs passed." if not failed else f"Of {counted(len(runs), 'run')}, {passed} passed."]
    if halved:
        sentences.append(f"{capital(counted(halved, 'run'))} {was(halved)} repeated with half the time step.")
    if failed:
        told = [
            f"*x* = {run['concentration']}, {run['temperature']} K, run {run['replica']} ({run['reason']})"
            for run in failed[:SHOWN]
        ]
        rest = [f"{len(failed) - SHOWN} more"] if len(failed) > SHOWN else []
        sentences.append(f"Failed and left out: {listed(told + rest)}.")
    return sentences
