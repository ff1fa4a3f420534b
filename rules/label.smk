"""Energies and forces of structures: from pw.x, or from another labeller (scripts/thermoweave/labellers/).

REQUIRED INPUTS:
    results/generate/x{concentration}/structures.extxyz     (round 0)
    results/explore/round{round - 1}/selected.extxyz         (later rounds)
OUTPUTS:
    results/label/round0/x{concentration}/batch{batch}.extxyz, results/label/round{round}/batch{batch}.extxyz
                                                             accepted labels
    results/label/.../batch{batch}.csv                       every attempt
    results/label/round{round}/summary.csv, rejected.csv     the record of the round
"""

LABEL_CODE = code(
    "label_structures",
    "gate",
    f"labellers/{LABELLER}",
    *labellers.adapter(LABELLER).MODULES,
    environment=LABEL_ENVIRONMENT,
)


rule label_structures:
    input:
        structures="results/generate/x{concentration}/structures.extxyz",
    output:
        frames="results/label/round0/x{concentration}/batch{batch}.extxyz",
        attempts="results/label/round0/x{concentration}/batch{batch}.csv",
    log:
        "results/logs/label_structures/x{concentration}_batch{batch}.log",
    benchmark:
        "results/benchmarks/label_structures/x{concentration}_batch{batch}.tsv"
    priority: 1
    conda:
        f"../envs/{LABEL_ENVIRONMENT}.yaml"
    threads: 1
    resources:
        **LABEL_MACHINE,
    params:
        LABEL_CODE,
        **LABEL_RULES,
        batch=lambda wildcards: int(wildcards.batch),
        size=config["label"]["batch"],
        settings=config["label"][LABELLER],
    message:
        "Labelling batch {wildcards.batch} of the first structures at x = {wildcards.concentration}."
    script:
        "../scripts/label_structures.py"


# The same job for what a round's walks found; a batch is empty where less was worth labelling than there were places.
use rule label_structures as label_selected with:
    input:
        structures=lambda wildcards: f"results/explore/round{int(wildcards.round) - 1}/selected.extxyz",
    output:
        frames="results/label/round{round}/batch{batch}.extxyz",
        attempts="results/label/round{round}/batch{batch}.csv",
    log:
        "results/logs/label_selected/round{round}_batch{batch}.log",
    benchmark:
        "results/benchmarks/label_selected/round{round}_batch{batch}.tsv"
    message:
        "Labelling batch {wildcards.batch} of round {wildcards.round}."


rule label_summary:
    input:
        attempts=lambda wildcards: rounds.batch_files(config, "csv", int(wildcards.round)),
    output:
        summary="results/label/round{round}/summary.csv",
        rejected="results/label/round{round}/rejected.csv",
    log:
        "results/logs/label_summary/round{round}.log",
    benchmark:
        "results/benchmarks/label_summary/round{round}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("label_summary"),
    message:
        "Collecting every label attempt of round {wildcards.round}."
    script:
        "../scripts/label_summary.py"
