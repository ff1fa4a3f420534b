"""The section `label` of a config: one labeller, with settings, environment, ladder and pseudopotentials that fit."""

from pathlib import Path

from thermoweave import convergence, labellers, ladder
from thermoweave.config_schema import did_you_mean, schema_faults


def label_faults(config: dict, root: Path, pseudo_dir: Path) -> list[str]:
    """One labeller, with settings, environment, ladder and pseudopotentials that fit."""
    label = config["label"]
    try:
        name = labellers.of(label)
    except ValueError as error:
        return [str(error)]
    settings, labeller = label[name], labellers.adapter(name)
    faults = labeller.faults(settings, set(config["system"]["charges"]), pseudo_dir)
    known = sorted(path.stem for path in (root / "envs").glob("*.yaml"))
    environment = settings.get("environment", name)
    if environment not in known:
        where = f"label.{name}.environment: no envs/{environment}.yaml"
        faults.append(f"{where}{did_you_mean(environment, known)}; there are {', '.join(known)}")
    faults += ladder.faults(
        root / "config" / "ladder.toml", name, labeller.RUNG_KEYS, label["allowed_rungs"], labeller.NUMERICS
    )
    return faults or convergence_faults(config, root, pseudo_dir)


def convergence_faults(config: dict, root: Path, pseudo_dir: Path) -> list[str]:
    """Levels of label.convergence whose settings would be refused as the campaign's own."""
    label = config["label"]
    name = labellers.of(label)
    faults = []
    for level, changes in label["convergence"]["levels"].items():
        settings = convergence.changed(label[name], changes)
        found = schema_faults({**config, "label": {**label, name: settings}}, root / "config" / "schema.yaml")
        found = found or labellers.adapter(name).faults(settings, set(config["system"]["charges"]), pseudo_dir)
        if level == convergence.ASKED:
            found.append("this name is taken by the campaign's own settings; choose another")
        if "environment" in changes:
            found.append("environment: all levels run in that of the campaign; remove it here")
        faults += [f"label.convergence.levels.{level}: {fault}" for fault in found]
    return faults
