"""The section `explore` of a config: a committee, limits, budgets and names that fit each other."""

from thermoweave import rounds


def explore_faults(config: dict) -> list[str]:
    """What cannot be of the section `explore`, in sentences."""
    explore = config["explore"]
    if not explore["rounds"]:
        later = any(first for names in explore["joined"].values() for first in names.values())
        return ["explore.joined: with explore.rounds: 0 nothing joins later; leave it empty"] if later else []
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
    labels, at_first = explore["budget"]["labels"], rounds.first_labels(config)
    if labels != "none" and rounds.most(config) < 1:
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
            elif first >= rounds.most(config):
                last = rounds.most(config)
                found.append(f"{where}: round {first} has no walks, the last round can be {last}; raise explore.rounds")
        if all(rounds.joined(config, kind, name) for name in there[kind]):
            found.append(f"explore.joined.{kind}: one of them must be there from the beginning")
    return found


def range_faults(config: dict) -> list[str]:
    """Temperatures of the grid outside those that are walked at: nothing would be known of them."""
    walked = config["explore"]["temperatures"]
    low, high = min(walked, key=float), max(walked, key=float)
    grid = {float(t): t for t in config["temperatures"]}
    other = [(t, grid[float(t)]) for t in walked if grid.get(float(t), t) != t]
    return [f"explore.temperatures: {t} is {same} in temperatures; write both alike" for t, same in other] + [
        f"temperatures: {t} K lies outside explore.temperatures ({low} to {high} K), where no walk was; add it there "
        '(with explore.joined: {temperatures: {"' + t + '": ROUND}} no round before ROUND is computed again)'
        for t in config["temperatures"]
        if not float(low) <= float(t) <= float(high)
    ]
