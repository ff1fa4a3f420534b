"""How far the labels are from converged: some structures of round 0 at higher settings (not a part of `all`).

REQUIRED INPUTS: results/generate/x{concentration}/structures.extxyz
OUTPUTS, below results/label/convergence/, of `snakemake label_convergence`:
    structures.extxyz                        what was chosen
    levels/{level}.extxyz, levels/{level}.csv    labels and every attempt; level `asked` is the campaign's own
    convergence.csv, .json, .svg             differences from the last level, with intervals, and cost
"""

import re

from thermoweave import convergence

# Every level's settings, the reference last.
LEVELS = {convergence.ASKED: {}, **config["label"]["convergence"]["levels"]}


rule label_convergence_select:
    input:
        structures=expand("results/generate/x{concentration}/structures.extxyz", concentration=CONCENTRATIONS),
    output:
        structures="results/label/convergence/structures.extxyz",
    log:
        "results/logs/label_convergence_select.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("label_convergence_select", "convergence"),
        n_structures=config["label"]["convergence"]["structures"],
    message:
        "Choosing structures for the convergence of the labels."
    script:
        "../scripts/label_convergence_select.py"


# The same job with the same machine. A rung that changes the physics would compare something else: none is allowed.
use rule label_structures as label_convergence_level with:
    input:
        structures="results/label/convergence/structures.extxyz",
    output:
        frames="results/label/convergence/levels/{level}.extxyz",
        attempts="results/label/convergence/levels/{level}.csv",
    log:
        "results/logs/label_convergence_level/{level}.log",
    benchmark:
        "results/benchmarks/label_convergence_level/{level}.tsv"
    wildcard_constraints:
        level="|".join(re.escape(level) for level in LEVELS),
    priority: 0
    params:
        LABEL_CODE,
        **(LABEL_RULES | {"allowed_rungs": []}),
        batch=0,
        size=config["label"]["convergence"]["structures"],
        settings=lambda wildcards: convergence.changed(config["label"][LABELLER], LEVELS[wildcards.level]),
    message:
        "Labelling structures at the level {wildcards.level}."


rule label_convergence:
    input:
        structures="results/label/convergence/structures.extxyz",
        frames=expand("results/label/convergence/levels/{level}.extxyz", level=LEVELS),
        attempts=expand("results/label/convergence/levels/{level}.csv", level=LEVELS),
    output:
        csv="results/label/convergence/convergence.csv",
        json="results/label/convergence/convergence.json",
        figure=report(
            "results/label/convergence/convergence.svg",
            caption="../report/convergence.rst",
            category="4. Labels",
            labels={"figure": "convergence of the labels"},
        ),
    log:
        "results/logs/label_convergence.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("label_convergence", "convergence", "figures"),
        levels=LEVELS,
        # what labels from the store had cost, as far as this campaign knows
        records="results/label/round*/x*/batch*.csv",
    message:
        "Comparing the labels with those of higher settings."
    script:
        "../scripts/label_convergence.py"
