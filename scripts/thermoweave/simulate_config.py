"""The section `simulate` of a config: an engine that runs the potentials, lengths that fit, checks that can be made."""

from math import pi

from thermoweave import engines, potentials, timestep
from thermoweave.composition import atom_counts, cell_volume, unit_counts
from thermoweave.protocol import BAROSTAT_INTERVAL

CLOSEST_PACKING = 0.74  # of equal spheres: a cell whose ions fill more of it has them overlap


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
    return engine_faults(config, device) + density_faults(config) + protocol_faults(config)


def engine_faults(config: dict, device: str) -> list[str]:
    """Engines that cannot run a backend's potentials."""
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
            if share > CLOSEST_PACKING:
                faults.append(
                    f"system.density: at x = {x} and {temperature} K the ions (system.radii) fill {share:.0%} of the "
                    f"cell and would overlap; spheres fill {CLOSEST_PACKING:.0%} at most: check coefficients (g/cm3)"
                )
    return faults


def protocol_faults(config: dict) -> list[str]:
    """Lengths without a frame, pressures that no label vouches for, a committee of one."""
    simulate, faults = config["simulate"], []
    values = protocol(config)
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
    if simulate["health"]["committee"] != "none" and len(config["train"]["seeds"]) < 2:
        faults.append("simulate.health.committee: a committee has two train.seeds or more; add one, or set it to none")
    return faults
