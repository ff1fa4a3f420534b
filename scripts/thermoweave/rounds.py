"""The rounds of active learning as a config has them: who takes part from when on, and how many there can be.

Round n: the potentials of the labels of rounds 0 to n walk, and what they find is labelled as round n + 1. The
potentials of the last round run the grid.
"""


def concentrations(config: dict, round: int) -> list[str]:
    """Those whose walks are part of a round: one that joined later (`explore.joined`) not before."""
    return [x for x in config["concentrations"] if joined(config, "concentrations", x) <= round]


def temperatures(config: dict, round: int) -> list[str]:
    """Those of `explore.temperatures` that are walked at in a round."""
    return [t for t in config["explore"]["temperatures"] if joined(config, "temperatures", t) <= round]


def labelled(config: dict, round: int) -> list[str]:
    """Concentrations that the labels of rounds 0 to `round` hold: one that joins in round k has none before k + 1."""
    first = {x: joined(config, "concentrations", x) for x in config["concentrations"]}
    return [x for x, k in first.items() if k == 0 or k < round]


def joined(config: dict, kind: str, name: str) -> int:
    """The first round of a concentration or a temperature."""
    return config["explore"]["joined"].get(kind, {}).get(name, 0)


def first_labels(config: dict) -> int:
    """Structures that round 0 labels."""
    return len(concentrations(config, 0)) * config["generate"]["structures"]


def most(config: dict) -> int:
    """The last round that there can be: `explore.rounds`, or as many as the budget of labels has room for."""
    explore = config["explore"]
    labels = explore["budget"]["labels"]
    if labels == "none" or not explore["rounds"]:
        return explore["rounds"]
    return min(explore["rounds"], (labels - first_labels(config)) // explore["labels_per_round"])


def fewest(config: dict) -> int:
    """The last round that there must be: conditions cannot be covered twice before two rounds after the last of them
    has joined; core-hours can be spent after one.
    """
    explore = config["explore"]
    last = max([0, *(k for kinds in explore["joined"].values() for k in kinds.values())])
    return min(last + (2 if explore["budget"]["core_h"] == "none" else 1), most(config))


def faults(config: dict) -> list[str]:
    """What cannot be of the section `explore`, in sentences."""
    explore = config["explore"]
    if not explore["rounds"]:
        return []
    found = []
    seeds = config["train"]["seeds"]
    if len(seeds) < 2:
        found.append(
            f"train.seeds: {len(seeds)} potential is no committee, which the rounds of explore need to know where they "
            "are wrong; give two or more seeds, or set explore.rounds: 0"
        )
    first = next(iter(config["train"]["backends"].values()))
    if not first.get("fine_tune", True):
        found.append(
            "train.backends: a checkpoint that is taken as it is (fine_tune: false) learns nothing from labels; "
            "fine-tune it, or set explore.rounds: 0"
        )
    if explore["leave"] <= explore["target"]:
        found.append(
            f"explore.leave: {explore['leave']:g} meV/A is not above explore.target ({explore['target']:g}): every "
            "walk would end where it begins to be worth labelling; four times the target is usual"
        )
    labels, at_first = explore["budget"]["labels"], first_labels(config)
    if labels != "none" and most(config) < 1:
        found.append(
            f"explore.budget.labels: {labels} leaves none for a round of {explore['labels_per_round']} after the "
            f"{at_first} of round 0; raise it, or set explore.rounds: 0"
        )
    return found + joined_faults(config) + range_faults(config)


def joined_faults(config: dict) -> list[str]:
    """Names in `explore.joined` that there are not, and rounds that cannot be."""
    explore = config["explore"]
    there = {"concentrations": config["concentrations"], "temperatures": explore["temperatures"]}
    found = []
    for kind, names in explore["joined"].items():
        for name, first in names.items():
            where = f"explore.joined.{kind}.{name}"
            if name not in there[kind]:
                place = "concentrations" if kind == "concentrations" else "explore.temperatures"
                found.append(f"{where}: there is no {name} in {place} ({', '.join(there[kind])})")
            elif first >= most(config):
                found.append(
                    f"{where}: round {first} has no walks, the last round can be {most(config)}; raise explore.rounds"
                )
        if len([name for name in there[kind] if joined(config, kind, name) == 0]) == 0:
            found.append(f"explore.joined.{kind}: one of them must be there from the beginning")
    return found


def range_faults(config: dict) -> list[str]:
    """Temperatures of the grid outside those that are walked at: nothing would be known of them."""
    walked = config["explore"]["temperatures"]
    low, high = min(walked, key=float), max(walked, key=float)
    return [
        f"temperatures: {t} K lies outside explore.temperatures ({low} to {high} K), where no walk was; add it there "
        '(with explore.joined: {temperatures: {"' + t + '": ROUND}} no round before ROUND is computed again)'
        for t in config["temperatures"]
        if not float(low) <= float(t) <= float(high)
    ]
