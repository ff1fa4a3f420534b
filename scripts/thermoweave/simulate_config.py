"""The section `simulate` of a config: an engine that runs the potentials, lengths that fit, checks that can be made."""

from math import pi

from thermoweave import engines, potentials, timestep
from thermoweave.composition import atom_counts, cell_volume, unit_counts
from thermoweave.protocol import BAROSTAT_INTERVAL, Protocol

DENSEST = 0.9  # of a cell that ions, as spheres of their radii, can fill; rock salt has up to 0.79
LONGEST = 2.5  # of the automatic time step, that a given one may be


def protocol(config: dict) -> dict:
    """The section `protocol` with numbers in place of auto."""
    section = dict(config["simulate"]["protocol"])
    species = list(config["system"]["charges"])
    if section["timestep_fs"] == "auto":
        highest = max(float(temperature) for temperature in config["temperatures"])
        section["timestep_fs"] = timestep.automatic(species, highest)
    if section["frame_interval"] == "auto":
        section["frame_interval"] = timestep.frame_interval(species, section["timestep_fs"])
    return section


def simulate_faults(config: dict, device: str) -> list[str]:
    """What cannot be simulated, as far as it shows before any job."""
    try:
        protocol(config)
    except ValueError as error:
        return [f"simulate.protocol.frame_interval: {error}"]
    return engine_faults(config, device) + density_faults(config) + protocol_faults(config) + committee_faults(config)


def engine_faults(config: dict, device: str) -> list[str]:
    """Engines that cannot run a backend's potentials."""
    if device not in engines.PREFERENCE:
        return [f"the profile's device of simulate_md is {device!r}; it can be {' or '.join(engines.PREFERENCE)}"]
    faults = []
    for backend in config["train"]["backends"]:
        if backend in potentials.available():
            try:
                engines.choose(config["simulate"]["engine"], backend, device)
            except ValueError as error:
                faults.append(f"simulate.engine: {error}")
    return faults


def density_faults(config: dict) -> list[str]:
    """Conditions whose ions, as spheres of their radii, would not fit into the cell."""
    system, faults = config["system"], []
    for x in config["concentrations"]:
        units = unit_counts(system["composition"], x, config["simulate"]["formula_units"])
        ions = sum(n * 4 / 3 * pi * system["radii"][s] ** 3 for s, n in atom_counts(units).items())
        for temperature in config["temperatures"]:
            share = ions / cell_volume(units, x, temperature, system["density"])
            if share > DENSEST:
                faults.append(
                    f"system.density: at x = {x} and {temperature} K the ions (system.radii) fill {share:.0%} of the "
                    f"cell and would overlap; the densest salts have {DENSEST:.0%} at most: check coefficients (g/cm3)"
                )
    return faults


def protocol_faults(config: dict) -> list[str]:
    """A time step that is far too long, lengths without a frame, pressures that no label vouches for."""
    values, faults = protocol(config), []
    highest = max(float(temperature) for temperature in config["temperatures"])
    longest = LONGEST * timestep.automatic(config["system"]["charges"], highest)
    if values["timestep_fs"] > longest:
        faults.append(
            f"simulate.protocol.timestep_fs: {values['timestep_fs']:g} is too long for the lightest element at "
            f"{highest:g} K; at most {longest:.2g}, or auto"
        )
    constants = [values[f"{stage}_thermostat_ps"] for stage in ("equilibration", "production")]
    if any(constant != "nve" and constant * 1000 < 5 * values["timestep_fs"] for constant in constants):
        faults.append(
            "simulate.protocol: a thermostat's time constant is below five time steps "
            f"({5 * values['timestep_fs'] / 1000:g} ps); 0.1 ps and longer are usual"
        )
    frames = values["production_ps"] * 1000 / values["timestep_fs"] / values["frame_interval"]
    if frames < 10:
        faults.append(
            f"simulate.protocol.production_ps: {values['production_ps']:g} has {frames:.1f} frames every "
            f"{values['frame_interval']} steps of {values['timestep_fs']:g} fs; a run needs 10 at least"
        )
    density = values["density"]
    if density != "fixed" and not config["label"]["stress"]:
        faults.append(
            "simulate.protocol.density: the potential's pressure is not checked against any label, as label.stress is "
            "false; set it to true (with a cutoff at which the stress is converged), or the density to fixed"
        )
    if density != "fixed" and density["npt_ps"] < 5 * density["barostat_ps"]:
        faults.append(
            f"simulate.protocol.density.npt_ps: {density['npt_ps']:g} is less than five times barostat_ps "
            f"({density['barostat_ps']:g}): the volume would still be on its way"
        )
    shortest = BAROSTAT_INTERVAL * values["timestep_fs"] / 1000 / 0.03  # of it: beyond that Euler's steps show
    if density != "fixed" and density["barostat_ps"] < shortest:
        faults.append(
            f"simulate.protocol.density.barostat_ps: {density['barostat_ps']:g} is too short for a cell that is scaled "
            f"every {BAROSTAT_INTERVAL} steps; it must be {shortest:.2g} at least"
        )
    return faults


def committee_faults(config: dict) -> list[str]:
    """A committee of one, or one that never meets."""
    committee = config["simulate"]["health"]["committee"]
    if committee == "none":
        return []
    if len(config["train"]["seeds"]) < 2:
        return ["simulate.health.committee: a committee has two train.seeds or more; add one, or set it to none"]
    n_frames = Protocol(**protocol(config)).n_frames
    if committee["every"] > n_frames:
        return [f"simulate.health.committee.every: {committee['every']} is more than the {n_frames} frames of a run"]
    return []
