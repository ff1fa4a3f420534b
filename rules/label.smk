"""Energies and forces from pw.x.

REQUIRED INPUTS:
    results/generate/x{concentration}/structures.extxyz                (round 0)
    results/explore/round{round - 1}/x{concentration}/selected.extxyz  (later rounds)
OUTPUTS:
    results/label/round{round}/x{concentration}/batch{batch}.extxyz   accepted labels
    results/label/round{round}/x{concentration}/batch{batch}.csv      every attempt
    results/label/round{round}/summary.csv, rejected.csv              the record of the round
"""


rule label_pwscf:
    input:
        structures=structures_to_label,
        code=modules("espresso", "labellers/pwscf"),
    output:
        frames="results/label/round{round}/x{concentration}/batch{batch}.extxyz",
        attempts="results/label/round{round}/x{concentration}/batch{batch}.csv",
    log:
        "results/logs/label_pwscf/round{round}_x{concentration}_batch{batch}.log",
    benchmark:
        "results/benchmarks/label_pwscf/round{round}_x{concentration}_batch{batch}.tsv"
    priority: 1
    conda:
        "../envs/pwscf.yaml"
    threads: 1
    resources:
        runtime=60,
        # facts of the machine: a profile's set-resources replaces them
        pw_command=f"python {shlex.quote(workflow.basedir)}/tools/pw_wheel.py",
        pseudo_dir=f"{workflow.basedir}/resources/pseudopotentials",
        label_store="results/label/store",
    params:
        batch=lambda wildcards: int(wildcards.batch),
        size=config["label"]["batch"],
        settings=config["label"]["pwscf"],
        gate=config["label"]["gate"],
    message:
        "Labelling batch {wildcards.batch} of x = {wildcards.concentration} in round {wildcards.round} with pw.x."
    script:
        "../scripts/label_pwscf.py"


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
    conda:
        "../envs/analysis.yaml"
    message:
        "Collecting every label attempt of round {wildcards.round}."
    script:
        "../scripts/label_summary.py"
