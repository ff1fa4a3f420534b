"""Goals that are known to be missed, and why: the rest of the calibration must meet them."""

SHORT_SERIES = (
    "A series of twenty correlation times underestimates how long those are, and the bar of its mean with them "
    "(`statistics.statistical_inefficiency`)."
)
SKEWED = (
    "Six points tell little about T0: B, T0 and what is extrapolated from a VTF curve are off by up to 0.6 bar, and "
    "the 95 % band of the extrapolation holds the truth slightly too rarely."
)
CAGED = (
    "Slow diffusion out of a cage: the bar is wider than it had to be; where the onset floor is below two memories of "
    "the cage, D is too high by 0.3 bar. Keep the floor at three cage times."
)
TOO_SHORT = (
    "A run of twenty friction times: about half of the runs are refused, and those that are not are a selection whose "
    "D is too low by half a bar."
)
RARE_HOPS = (
    "Where particles hop so rarely that none did at the coldest temperature, Ea is off by up to a fifth of a bar, and "
    "the 95 % band of what is extrapolated to 298 K holds the truth too rarely."
)
FEW_DEGREES = (
    "Each species as a whole is one particle in three dimensions for each replica, little to find an onset with or the "
    "shape of a spectrum: the bars cover, but are about 1.5 times the best line's."
)

# (start of the truth's name, start of the quantity's name): reason
KNOWN: dict[tuple[str, str], str] = {
    ("AR(1), memory 10: 200 frames", "mean"): SHORT_SERIES,
    ("AR(1), memory 20: 1000 frames", "mean"): SHORT_SERIES,
    ("VTF points", ""): SKEWED,
    ("caged", "ln D"): CAGED,
    ("Langevin, friction 20 frames: 24 atoms, 400 frames", "ln D"): TOO_SHORT,
    ("hops, 300 to 900 K", "Ea"): RARE_HOPS,
    ("hops, 300 to 900 K", "ln D"): RARE_HOPS,
    ("correlated ions", "ln sigma (Green-Kubo)"): FEW_DEGREES,
    ("correlated ions", "ln sigma (Einstein-Helfand)"): FEW_DEGREES,
    ("correlated ions", "Haven ratio"): FEW_DEGREES,
    ("correlated ions", "transference"): FEW_DEGREES,
    ("correlated ions", "Onsager"): FEW_DEGREES,
}


def reason(truth: str, quantity: str) -> str:
    """Why a goal is missed there; "" where it is to be met."""
    found = [why for (t, q), why in KNOWN.items() if truth.startswith(t) and quantity.startswith(q)]
    return found[0] if found else ""
