"""What a schema cannot say of the section `reduce`: lengths that fit the runs, species that exist, neutral charges."""

from ase.formula import Formula

from thermoweave import simulate_config, spot_frames, welch
from thermoweave.config_schema import did_you_mean
from thermoweave.protocol import Protocol

NEUTRAL = 0.05  # e: Born charges of a formula unit add up to zero, but for their rounding


def reduce_faults(config: dict) -> list[str]:
    """Faults of the reductions: found now, and not after the molecular dynamics."""
    return [*length_faults(config), *species_faults(config), *prediction_faults(config)]


def length_faults(config: dict) -> list[str]:
    """Times and frequencies that a run of the campaign's length does not hold."""
    reduce, produced = config["reduce"], config["simulate"]["protocol"]["production_ps"]
    protocol = Protocol(**simulate_config.protocol(config))
    step = protocol.timestep_fs * protocol.frame_interval / 1000
    unresolved = welch.fault(protocol.n_frames, step, reduce["spectra"]["resolution_THz"])
    faults = [f"reduce.spectra.resolution_THz: {unresolved}"] if unresolved else []
    if reduce["onset_floor_ps"] > produced / 4:
        faults.append(
            f"reduce.onset_floor_ps: {reduce['onset_floor_ps']:g} leaves no lags to fit, at most a quarter of "
            f"simulate.protocol.production_ps ({produced:g}) does"
        )
    if reduce["solvation"] != "none" and reduce["solvation"]["tolerance_ps"] > produced / 4:
        faults.append(
            f"reduce.solvation.tolerance_ps: {reduce['solvation']['tolerance_ps']:g} is long for a run of {produced:g} "
            "ps (simulate.protocol.production_ps); at most a quarter of it"
        )
    checks, n_frames = reduce["spot_checks"], protocol.n_frames
    if checks * spot_frames.FRAMES_A_CHECK > n_frames:
        faults.append(
            f"reduce.spot_checks: {checks} frames asked for, a production run has {n_frames}; at most "
            f"{n_frames // spot_frames.FRAMES_A_CHECK} are far enough apart to be different structures"
        )
    return faults


def species_faults(config: dict) -> list[str]:
    """Elements that the system does not have, and Born charges that leave a formula unit charged."""
    solvation, born = config["reduce"]["solvation"], config["reduce"]["spectra"]["born_charges"]
    species = set(config["system"]["charges"])
    faults = []
    if solvation != "none" and solvation["centre"] not in species:
        centre = solvation["centre"]
        faults.append(
            f"reduce.solvation.centre: no such species {centre}{did_you_mean(centre, species)}; there are "
            f"{', '.join(sorted(species))}"
        )
    if born == "none":
        return faults
    where = "reduce.spectra.born_charges"
    faults += [f"{where}: no charge for {name}; name every species" for name in sorted(species - set(born))]
    faults += [f"{where}.{name}: no such species{did_you_mean(name, species)}" for name in sorted(set(born) - species)]
    for unit in config["system"]["composition"] if not faults else ():
        net = sum(born[name] * n for name, n in Formula(unit).count().items())
        if abs(net) > NEUTRAL:
            faults.append(f"{where}: {unit} has {net:+.3g} e in all; they must add up to zero (acoustic sum rule)")
    return faults


def prediction_faults(config: dict) -> list[str]:
    """Temperatures that are none, or the same twice."""
    predict = config["reduce"]["predict"]
    values = [float(text) for text in predict]
    faults = [f"reduce.predict: {text} K: give one above 0" for text in predict if float(text) == 0]
    twice = sorted({text for text in predict if values.count(float(text)) > 1})
    return faults + ([f"reduce.predict: {' and '.join(twice)} are the same number; keep one"] if twice else [])
