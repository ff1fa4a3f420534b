"""The campaign's config, checked as a whole before any job: keys, types, ranges, and what a schema cannot say."""

import math
from collections.abc import Sequence
from pathlib import Path

from ase.data import chemical_symbols
from ase.formula import Formula

from thermoweave.composition import cell_volume, realised_shares, unit_counts
from thermoweave.config_schema import did_you_mean, schema_faults
from thermoweave.explore_config import explore_faults
from thermoweave.label_config import label_faults
from thermoweave.reduce_config import reduce_faults
from thermoweave.simulate_config import simulate_faults
from thermoweave.train_config import backend_faults, teacher_faults

LARGEST_ROUNDING = 0.03  # of a mole fraction, between what is asked for and what a finite cell can hold


class ConfigError(ValueError):
    """A config that cannot be run; the message lists every fault with its key, what is allowed and what to do."""


def validate(config: dict, root: Path, pseudo_dir: Path, device: str = "cpu") -> None:
    """Check a config against config/schema.yaml below `root`, against itself, and against the ladder, the
    pseudopotentials and the device of the molecular dynamics; raises ConfigError with all faults.
    """
    faults = schema_faults(config, root / "config" / "schema.yaml")
    if not faults:
        checks = (system_faults, grid_faults, length_faults, backend_faults, teacher_faults, explore_faults)
        faults = [fault for check in checks for fault in check(config)]
        faults += label_faults(config, root, pseudo_dir)
        faults = faults or simulate_faults(config, device) or reduce_faults(config)
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigError(
            f"the config cannot be run:\n{lines}\nconfig/README.md and config/schema.yaml describe every key."
        )


def as_written(config: dict, files: Sequence[str | Path]) -> str:
    """The config as YAML: the text of its file, comments included, unless several files or the command line made it."""
    import yaml

    text = Path(files[0]).read_text() if len(files) == 1 else ""
    return text if text and yaml.safe_load(text) == config else yaml.safe_dump(config, sort_keys=False)


def physics(config: dict) -> dict:
    """The sections of a config that decide results, without the sizes of batches and pieces; of `archive` the title."""
    sizes = {"label": "batch", "simulate": "batch", "reduce": "memory_MB"}
    found = {name: value for name, value in config.items() if name not in ("name", "seed", "audit")}
    for section, key in sizes.items():
        found[section] = {name: value for name, value in found[section].items() if name != key}
    found["archive"] = {"title": config["archive"]["title"]}
    return found


def system_faults(config: dict) -> list[str]:
    """Species, charges, radii and the neutrality of each formula unit."""
    system = config["system"]
    faults = []
    species = set()
    for unit in system["composition"]:
        try:
            content = Formula(unit).count()
        except ValueError:
            faults.append(f"system.composition.{unit}: not a chemical formula")
            continue
        unknown = [s for s in content if s not in chemical_symbols[1:]]
        faults += [
            f"system.composition.{unit}: unknown element {s}{did_you_mean(s, chemical_symbols[1:])}" for s in unknown
        ]
        species |= set(content) - set(unknown)
        missing = [s for s in content if s not in system["charges"] and s not in unknown]
        faults += [f"system.charges: no formal charge for {s}, which {unit} contains" for s in missing]
        if not missing and not unknown:
            net = sum(system["charges"][s] * n for s, n in content.items())
            if abs(net) > 1e-9:
                faults.append(
                    f"system.composition.{unit}: net charge {net:+g} e from system.charges; "
                    "each formula unit must be neutral"
                )
    for section in ("charges", "radii"):
        extra = system[section].keys() - species
        faults += [
            f"system.{section}.{s}: no such species in system.composition{did_you_mean(s, species)}"
            for s in sorted(extra)
        ]
    faults += [f"system.radii: no ionic radius for {s}" for s in sorted(species - system["radii"].keys())]
    return faults


def grid_faults(config: dict) -> list[str]:
    """Concentrations that cells can hold, densities that exist, temperatures that were sampled."""
    faults = []
    system, density = config["system"], config["system"]["density"]
    wanted = config["concentrations"] if density["rule"] == "table" else list(system["composition"])
    missing = [name for name in wanted if name not in density["coefficients"]]
    faults += [f"system.density.coefficients: no entry for {name} (rule {density['rule']})" for name in missing]
    for stage in ("generate", "simulate"):
        n_units = config[stage]["formula_units"]
        for x in config["concentrations"]:
            try:
                units = unit_counts(system["composition"], x, n_units)
                if not missing:
                    for temperature in config["temperatures"]:
                        cell_volume(units, x, temperature, density)
            except (ValueError, ZeroDivisionError) as error:
                faults.append(f"concentrations: {x}: {error}")
                continue
            shares = realised_shares(unit_counts(system["composition"], x, 10**6))
            off = max(abs(share - shares[unit]) for unit, share in realised_shares(units).items())
            if off > LARGEST_ROUNDING:
                faults.append(
                    f"concentrations: {x} cannot be built from {stage}.formula_units: {n_units} "
                    f"(nearest differs by {off:.3f}, "
                    f"allowed {LARGEST_ROUNDING}); take at least {math.ceil(1 / (2 * LARGEST_ROUNDING))} formula units"
                )
    highest = max(config["generate"]["temperatures"], key=float)
    faults += [
        f"temperatures: {t} K lies above the highest of generate.temperatures ({highest} K), where no label was taken; "
        f'add "{t}" there (the potential is then trained again)'
        for t in config["temperatures"]
        if float(t) > float(highest)
    ]
    return faults


def length_faults(config: dict) -> list[str]:
    """Lengths and times that do not fit each other: found now, and not after the molecular dynamics."""
    explore = config["explore"]
    faults = []
    for key in ("concentrations", "temperatures"):
        values = [float(text) for text in config[key]]
        twice = sorted({text for text in config[key] if values.count(float(text)) > 1})
        faults += [f"{key}: {' and '.join(twice)} are the same number; keep one"] if twice else []
    frozen = [text for text in config["temperatures"] if float(text) == 0]
    faults += [f"temperatures: {text} K: nothing moves; give one above 0" for text in frozen]
    if explore["length_ps"] < explore["interval_ps"]:
        faults.append(
            f"explore.length_ps: {explore['length_ps']:g} is shorter than explore.interval_ps: no frame is kept"
        )
    pairs = len(config["system"]["charges"]) * (len(config["system"]["charges"]) + 1) // 2
    squeezed = math.ceil(config["generate"]["contact_share"] * config["generate"]["structures"] - 1e-9)
    if 0 < squeezed < pairs:
        faults.append(
            f"generate.contact_share: {config['generate']['contact_share']:g} of {config['generate']['structures']} "
            f"structures squeezes {squeezed} pairs of species, there are {pairs}; raise one of the two (or set it to 0)"
        )
    return faults
