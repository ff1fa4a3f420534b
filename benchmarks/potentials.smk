"""All potentials on the labels of one campaign, in one run on one machine: the table of docs/potentials.md.

From the folder of a finished campaign (the quickstart of `make demo`), after `make setup`:

    .venv/bin/snakemake --profile profiles/local --cores 1 --snakefile benchmarks/potentials.smk

One core: times are comparable only if nothing else runs. Writes results/benchmarks/potentials/compare.csv, .html, .svg.
"""

import sys
from pathlib import Path

ROOT = Path(workflow.basedir).parent
sys.path.insert(0, str(ROOT / "scripts"))

from thermoweave import datasets, environment

environment.provide_conda(ROOT)

# Every backend with its defaults, and the other model of those that have two.
VARIANTS = {
    "nequip/NequIP": {"model": "NequIP"},
    "nequip/Allegro": {"model": "Allegro"},
    "mace/MACE": {},
    "schnetpack/PaiNN": {"model": "PaiNN"},
    "schnetpack/SchNet": {"model": "SchNet"},
    "deepmd/se_e2_a": {},
    "torchani/ANI": {},
}
LABELS = sorted(Path().glob("results/label/round*/**/batch*.extxyz"))
CONDITIONS = sorted({datasets.condition(atoms) for atoms in datasets.read_labels(LABELS)})
FOLDER = "results/benchmarks/potentials"


wildcard_constraints:
    backend=r"[a-z_]+",
    model=r"\w+",


rule potentials_compare:
    input:
        manifests=expand(f"{FOLDER}/{{variant}}/compiled/potential.json", variant=VARIANTS),
        predictions=expand(f"{FOLDER}/{{variant}}/predictions.npz", variant=VARIANTS),
    output:
        csv=f"{FOLDER}/compare.csv",
        html=f"{FOLDER}/compare.html",
        figure=f"{FOLDER}/compare.svg",
    log:
        f"{FOLDER}/compare.log",
    conda:
        "../envs/analysis.yaml"
    message:
        "Comparing all potentials."
    script:
        "../scripts/train_compare.py"


rule potentials_train:
    input:
        labels=LABELS,
    output:
        manifest=f"{FOLDER}/{{backend}}/{{model}}/potential.json",
        errors=f"{FOLDER}/{{backend}}/{{model}}/errors.json",
        predictions=f"{FOLDER}/{{backend}}/{{model}}/predictions.npz",
    log:
        f"{FOLDER}/{{backend}}_{{model}}_train.log",
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    params:
        backend=lambda wildcards: wildcards.backend,
        hypers=lambda wildcards: VARIANTS[f"{wildcards.backend}/{wildcards.model}"],
        seed=1,
        sampled={
            name: sorted({condition[k] for condition in CONDITIONS})
            for k, name in enumerate(("concentrations", "temperatures"))
        },
        directory=f"{FOLDER}/{{backend}}/{{model}}/training",
    message:
        "Training {wildcards.model}."
    script:
        "../scripts/train_potential.py"


rule potentials_compile:
    input:
        potential=f"{FOLDER}/{{backend}}/{{model}}/potential.json",
        labels=LABELS[:1],
    output:
        manifest=f"{FOLDER}/{{backend}}/{{model}}/compiled/potential.json",
    log:
        f"{FOLDER}/{{backend}}_{{model}}_compile.log",
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    params:
        mode="auto",
    message:
        "Compiling and timing {wildcards.model}."
    script:
        "../scripts/train_compile.py"
