"""Methods text: the level of theory of the labels, their pseudopotentials, and how far they are from converged."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from thermoweave import convergence, labellers, pseudopotentials
from thermoweave.citations import DISPERSION, FUNCTIONALS, PSEUDOPOTENTIALS, SMEARING, TIGHT_BINDING
from thermoweave.methods_text import cite, counted, listed, method, number

HEAD = 20_000  # characters of a pseudopotential file in which its kind is looked for


def theory(config: Mapping, frames: Sequence[Mapping[str, str]], files: Mapping[str, Path]) -> list[str]:
    """What `label.NAME` asked for. `files`: the pseudopotential of each species, where the labeller has them."""
    name = labellers.of(config["label"])
    settings = config["label"][name]
    if name == "pwscf":
        return [*plane_waves(settings), *pseudos(frames, files)]
    if name == "tblite":
        return [
            f"The method was {settings['method']}{cite(*TIGHT_BINDING[settings['method']])}, with an accuracy of "
            f"{number(settings['accuracy'])} and an electronic temperature of "
            f"{number(settings['electronic_temperature'])} K."
        ]
    arguments = f" with {json.dumps(settings['arguments'])}" if settings["arguments"] else ""
    calculator = settings["calculator"]
    return [f"The ASE calculator was {calculator}{arguments} [ADD: reference of {calculator}]."]


def plane_waves(settings: Mapping) -> list[str]:
    """Settings of pw.x."""
    system = dict(settings.get("system", {}))
    functional = settings["functional"]
    k = settings["kpoints"]
    grid = f"a {' × '.join(map(str, k))} Monkhorst–Pack grid{method('k_points')}" if max(k) > 1 else "the Γ point only"
    density = f" ({number(system.pop('ecutrho'))} Ry for the density)" if "ecutrho" in system else ""
    occupations = "fixed occupations"
    if settings["occupations"] == "smearing":
        kind = settings["smearing"]
        occupations = f"{kind} smearing of {number(settings['degauss'])} Ry{cite(*SMEARING[kind])}"
    sentences = [
        f"The functional was {functional}{cite(*FUNCTIONALS[functional])}, with plane waves up to "
        f"{number(settings['ecutwfc'])} Ry{density}, {grid}, {occupations}, and an estimated accuracy "
        f"of {number(settings['conv_thr'])} Ry in self-consistency."
    ]
    correction = str(system.pop("vdw_corr", "none")).lower()
    if correction != "none":
        sentences.append(f"Dispersion was corrected by {correction}{cite(*DISPERSION[correction])}.")
    if system:
        told = listed(f"{key} = {value}" for key, value in system.items())
        sentences.append(f"Further keys of pw.x's namelist &SYSTEM were {told}.")
    return sentences


def pseudos(frames: Sequence[Mapping[str, str]], files: Mapping[str, Path]) -> list[str]:
    """Kind, name and sha256 of each pseudopotential. The hash is that of the labels' own record; a file is described
    only where its hash is that one.
    """
    recorded: dict[str, set[str]] = {}
    for level in {frame.get("level", "") for frame in frames}:
        for word in level.split():
            species, _, digest = word.partition(":")
            recorded.setdefault(species, set()).add(digest)
    told, unknown = [], []
    for species in sorted(recorded.keys() - {"settings"}):
        for digest in sorted(recorded[species]):
            file = files.get(species)
            found = pseudopotentials.read(file) if file else None
            if found is None or not found.sha256.startswith(digest):
                told.append(f"{species} (sha256 {digest}…)")
                unknown.append(species)
                continue
            kind, keys = kind_of(file)
            told.append(f"{species}: {kind}{cite(*keys)} ({found.name}, sha256 {digest}…)".replace(":  ", ": "))
            unknown += [] if kind else [species]
    if not told:
        return []
    more = f" [ADD: source of the pseudopotentials of {listed(dict.fromkeys(unknown))}]" if unknown else ""
    return [f"Pseudopotentials: {'; '.join(told)}{more}."]


def kind_of(path: Path) -> tuple[str, Sequence[str]]:
    """What a pseudopotential file is and what to cite for it, by its name and its first lines."""
    text = f"{path.name}\n{path.read_bytes()[:HEAD].decode(errors='replace')}"
    for sign, (kind, keys) in PSEUDOPOTENTIALS.items():
        if re.search(sign, text, re.I | re.M):
            return kind, keys
    return "", ()


def converged(path: Path | None) -> list[str]:
    """How far labels are from those of higher settings; nothing where nobody looked."""
    if path is None:
        return []
    found = json.loads(Path(path).read_text())
    reference, asked = found["reference"], found["levels"][convergence.ASKED]
    changes = listed(f"{key} = {value}" for key, value in found["levels"][reference]["changes"].items())
    if not asked.get("force_rms_meV_A"):
        return [f"Labels were compared with those of {reference} ({changes}), without a result: {asked['note']}."]
    force, share = asked["force_rms_meV_A"], asked["force_relative_percent"]
    return [
        f"Against labels with {changes}, on {counted(asked['n_structures'], 'structure')}, forces differ by "
        f"{force['value']:.2g} meV/Å rms a component (68 % interval {force['low']:.2g} to {force['high']:.2g}; "
        f"{share['value']:.2g} % of their size)."
    ]
