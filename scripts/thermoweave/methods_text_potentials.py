"""Methods text: active learning, and the potentials that ran the grid with their errors on labels held out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from thermoweave import coverage, potentials
from thermoweave.attempts import last_attempts
from thermoweave.citations import POTENTIALS, PROGRAMS
from thermoweave.gate import ACCEPTED
from thermoweave.methods_text import capital, cite, counted, listed, method, number, numbers, share, was
from thermoweave.tables import read_csv

NAMES = {
    "nequip": "NequIP", "mace": "MACE", "schnetpack": "SchNetPack", "torchani": "TorchANI", "deepmd": "DeePMD",
    "lennard_jones": "Lennard-Jones",
}  # fmt: skip
LENGTHS = ("r_max", "r_smooth", "r_angular", "r_min")  # hyperparameters in A


def name(backend: str) -> str:
    return NAMES.get(backend, backend)


def active_learning(config: Mapping, summaries: Sequence[Path], conditions: Path | None) -> list[str]:
    """The rounds after the first labels, and what they cover; nothing where there were none. `conditions`: the table
    of explore, if there is one.
    """
    if len(summaries) < 2:
        return []
    section, seeds = config["explore"], config["train"]["seeds"]
    accepted = [sum(row["outcome"] in ACCEPTED for row in last_attempts([path])) for path in summaries]
    beyond = []
    if section["margins"]["hotter_K"]:
        beyond.append(f"{number(section['margins']['hotter_K'])} K hotter")
    if section["margins"]["denser"]:
        beyond.append(f"{number(100 * section['margins']['denser'])} % denser")
    sentences = [
        f"Further structures were chosen in {counted(len(accepted) - 1, 'round')} by a committee of {len(seeds)} "
        f"{name(next(iter(config['train']['backends'])))} potentials that differ in their seeds, trained on all labels "
        f"so far. In each round, its members in turn ran molecular dynamics of {number(section['length_ps'])} ps for "
        f"each composition at {listed(section['temperatures'])} K"
        f"{f' and beyond the grid ({listed(beyond)})' if beyond else ''}, with a time step of "
        f"{number(section['timestep_fs'])} fs; a run that broke a limit of health ended there.",
        f"The scatter of the members' forces{method('committee')} was turned into an expected force error by a "
        f"multilevel regression on labels that the committee had not seen{method('expected_error')}; of frames whose "
        f"error may exceed {number(section['target'])} meV/Å a component, mutually different ones were labelled "
        f"(greedy maximum of a determinant{method('selection')}), and {number(100 * section['random_share'])} % of the "
        "places went to frames drawn at random.",
        f"This gave {listed(accepted[1:])} label{'s' * (accepted[1:] != [1])} beside the {accepted[0]} of the first "
        "structures.",
    ]
    if conditions is not None:
        rows = read_csv(conditions)
        covered = sum(row["verdict"] == coverage.COVERED for row in rows)
        rounds = listed(sorted({row["round"] for row in rows}))
        sentences.append(
            f"By the runs of round {rounds}, {share(covered, len(rows))} conditions count as covered, which means an "
            f"expected force error that is, at 95 % confidence, below {number(section['target'])} meV/Å."
        )
    return sentences


def trained(backend: str, manifests: Sequence[Path], pins: Mapping[str, str]) -> list[str]:
    """The potentials of one backend, one a seed, as their manifests tell; `pins`: packages of its environment."""
    found = [json.loads(Path(path).read_text()) for path in manifests]
    first = found[0]
    keys = POTENTIALS[backend].get(first["hyperparameters"].get("model", ""), ())
    torch = f" and PyTorch {pins['torch']}{cite(*PROGRAMS['torch'])}" if "torch" in pins else ""
    one = len(found) == 1
    distribution = potentials.adapter(backend).DISTRIBUTION
    return [
        f"{capital(counted(len(found), f'{name(backend)} potential'))}{cite(*keys)} {was(len(found))} trained "
        f"by {distribution} {listed(sorted({each['version'] for each in found}))}{torch} "
        f"with {'seed' if one else 'seeds'} {listed(each['seed'] for each in found)} on "
        f"{numbers(each['n_train'] for each in found)} labels, with {numbers(each['n_valid'] for each in found)} for "
        f"validation and {numbers(each['n_test'] for each in found)} held out as a test.",
        f"Hyperparameters (with their names in the workflow): {hyperparameters(backend, first['hyperparameters'])}.",
        *begun(found),
        *errors(found, one),
        *added(found),
    ]


def hyperparameters(backend: str, values: Mapping) -> str:
    """All that the model has, and not those of the backend's other models."""
    own = getattr(potentials.adapter(backend), "OWN", {})
    others = {key for model, keys in own.items() if model != values.get("model") for key in keys}
    return ", ".join(f"{key} {shown(key, value)}" for key, value in values.items() if key not in others)


def shown(key: str, value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value).replace('"', "").replace("[", "(").replace("]", ")")
    if isinstance(value, bool):
        return str(value).lower()
    text = number(value) if isinstance(value, int | float) else str(value)
    return f"{text} Å" if key in LENGTHS else text


def begun(found: Sequence[Mapping]) -> list[str]:
    """What the trainings started from."""
    starts = [each["start"] for each in found if each.get("start")]
    if not starts:
        return ["Training began from random weights."]
    files = sorted({Path(start["file"]).name for start in starts if "/train/round" not in f"/{start['file']}"})
    if not files:
        return ["Training went on from the weights of the round before, with the same seed."]
    trained_on = all(start["fine_tuned"] for start in starts)
    how = "Training began from" if trained_on else "The weights are, without training, those of"
    return [f"{how} {listed(files)} [ADD: reference of {listed(files)}]."]


def errors(found: Sequence[Mapping], one: bool) -> list[str]:
    """RMSE on the held-out labels, with standard errors, seed by seed."""
    tests = [each["errors"]["all"] for each in found if each["n_test"]]
    if not tests:
        return ["No labels were held out: the errors of the potentials are not known."]
    kinds = {
        "force_rmse": ("meV_A", "meV/Å a component of the forces"),
        "energy_rmse": ("meV_atom", "meV an atom of the energy"),
        "stress_rmse": ("meV_A3", "meV/Å³ a component of the stress"),
    }
    told = [
        f"{listed(with_error(test[f'{kind}_{unit}'], test[f'{kind}_std_{unit}']) for test in tests)} {words}"
        for kind, (unit, words) in kinds.items()
        if all(f"{kind}_{unit}" in test for test in tests)
    ]
    order = "" if one else ", in the order of the seeds"
    return [f"Root mean square errors on the labels held out (± one standard error{order}): {'; '.join(told)}."]


def with_error(value: float, std: float) -> str:
    digits = 1 if std < 10 else 0
    return f"{value:.{digits}f} ± {std:.{digits}f}"


def added(found: Sequence[Mapping]) -> list[str]:
    """What the package does not know of: energies of the species, and the wall."""
    unseen = sorted({pair for each in found for pair in each["wall"]["unseen"]})
    pairs = f"; no label had {listed(unseen)} near each other" if unseen else ""
    return [
        "An energy of each species, fitted by least squares, was taken off the labels before training; below the "
        f"closest labelled distance of each pair of species, a quadratic repulsion of "
        f"{numbers(each['wall']['stiffness_eV_per_A2'] for each in found)} eV/Å² was added{pairs}."
    ]
