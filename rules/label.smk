"""Energies and forces of structures: from pw.x, or from another labeller (scripts/thermoweave/labellers/).

REQUIRED INPUTS:
    results/generate/x{concentration}/structures.extxyz                (round 0)
    results/explore/round{round - 1}/x{concentration}/selected.extxyz  (later rounds)
OUTPUTS:
    results/label/round{round}/x{concentration}/batch{batch}.extxyz   accepted labels
    results/label/round{round}/x{concentration}/batch{batch}.csv      every attempt
    results/label/round{round}/summary.csv, rejected.csv              the record of the round
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
        structures=structures_to_label,
    output:
        frames="results/label/round{round}/x{concentration}/batch{batch}.extxyz",
        attempts="results/label/round{round}/x{concentration}/batch{batch}.csv",
    log:
        "results/logs/label_structures/round{round}_x{concentration}_batch{batch}.log",
    benchmark:
        "results/benchmarks/label_structures/round{round}_x{concentration}_batch{batch}.tsv"
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
        "Labelling batch {wildcards.batch} of x = {wildcards.concentration} in round {wildcards.round}."
    script:
        "../scripts/label_structures.py"


rule label_summary:
    input:
        attempts=lambda wildcards: batch_files("csv", wildcards.round),
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
