"""The rounds of active learning as a config has them: who takes part from when on, and how many there can be.

Round n: the potentials of the labels of rounds 0 to n walk, and what they find is labelled as round n + 1. The
potentials of the last round run the grid.
"""

import math


def concentrations(config: dict, round: int) -> list[str]:
    """Those whose walks are part of a round: one that joined later (`explore.joined`) not before."""
    return [x for x in config["concentrations"] if joined(config, "concentrations", x) <= round]


def temperatures(config: dict, round: int) -> list[str]:
    """Those of `explore.temperatures` that are walked at in a round."""
    return [t for t in config["explore"]["temperatures"] if joined(config, "temperatures", t) <= round]


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


def batch_files(config: dict, name: str, round: int) -> list[str]:
    """One file of every label batch of a round: in round 0 of every concentration, later of all together."""
    size = config["label"]["batch"]
    if round:
        n = math.ceil(config["explore"]["labels_per_round"] / size)
        return [f"results/label/round{round}/batch{k}.{name}" for k in range(n)]
    n = math.ceil(config["generate"]["structures"] / size)
    there = concentrations(config, 0)
    return [f"results/label/round0/x{x}/batch{k}.{name}" for x in there for k in range(n)]


def labels_until(config: dict, round: int) -> list[str]:
    """All label batches of rounds 0 to `round`: what its potentials are trained on."""
    return [path for k in range(round + 1) for path in batch_files(config, "extxyz", k)]


def sampled(config: dict) -> dict[str, list[str]]:
    """The conditions that the first structures were made for, of which there must be labels. What joins later has some
    where it needs them: `explore` says whether it is covered.
    """
    return {"concentrations": concentrations(config, 0), "temperatures": config["generate"]["temperatures"]}


def fresh(until: int) -> list[str]:
    """Tables of the committees' errors on the labels that they asked for, of the rounds before one."""
    return [f"results/explore/round{k}/fresh.csv" for k in range(until)]
