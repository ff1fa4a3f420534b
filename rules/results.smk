"""What a campaign is for, and what the rules of the audit and the archive ask of all of it. No rules."""


def result_figures():
    """The figures that the config asks for."""
    names = ["arrhenius", "activation", "conductivity", "budget", "msd", "rdf", "vdos", "conductivity_spectrum"]
    names += ["solvation"] if config["reduce"]["solvation"] != "none" else []
    return names + (["structure_factor"] if config["reduce"]["spectra"]["structure_factor"] != "none" else [])


def verdicts(backend):
    """The verdict of every run of the grid."""
    path = "results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.json"
    return expand(path, backend=backend, concentration=CONCENTRATIONS, temperature=TEMPERATURES, replica=REPLICAS)


def pseudopotential_files(wildcards):
    """The pseudopotential of each species, where labels have some."""
    if LABELLER != "pwscf":
        return {}
    found = pseudopotentials.find(Path(PSEUDO_DIR), set(SYSTEM["charges"]), config["label"]["pwscf"]["functional"])
    return {symbol: os.path.relpath(f"{PSEUDO_DIR}/{each.name}") for symbol, each in found.items()}


# Its tables and figures.
RESULTS = [
    *expand(SPOT_TABLES, backend=BACKENDS),
    *expand(
        [
            "results/train/final/{backend}/seed{seed}/figures/parity.svg",
            "results/train/final/{backend}/seed{seed}/figures/parity.csv",
            "results/reduce/{backend}/{reduction}.{ending}",
            "results/reduce/{backend}/arrhenius.nc",
            "results/reduce/{backend}/arrhenius.csv",
            "results/reduce/{backend}/predictions.csv",
            "results/reduce/{backend}/budget.csv",
            "results/reduce/{backend}/budget.html",
            "results/reduce/{backend}/figures/{figure}.svg",
            "results/reduce/{backend}/figures/{figure}.csv",
            "results/audit/{backend}/conditions.csv",
            "results/audit/{backend}/conditions.html",
            "results/audit/{backend}/errors.csv",
            "results/audit/{backend}/errors.html",
        ],
        backend=BACKENDS,
        seed=SEEDS,
        reduction=["transport", "structure", "spectra"],
        ending=["nc", "csv"],
        figure=result_figures(),
    ),
    "results/train/compare.csv",
    "results/train/compare.html",
    "results/train/compare.svg",
    *COVERAGE,
    *COVERAGE_FIGURES,
]
# The account of them (audit_account.smk).
AUDIT_FILES = [
    "results/audit/lineage.json",
    "results/audit/lineage.html",
    *expand("results/audit/{name}.csv", name=["cost", "cost_labels", "cost_conditions", "cost_figures"]),
    "results/audit/cost.json",
    *expand(
        "results/audit/{name}", name=["methods.md", "methods.html", "methods.tex", "references.bib", "citations.json"]
    ),
    "results/audit/cost.html",
    "results/audit/answer.html",
]
