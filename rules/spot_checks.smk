"""DFT spot checks: frames of the production runs, labelled like any structure (part of `all` with reduce.spot_checks).

REQUIRED INPUTS: results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.nc and .json,
    results/train/round{last}/{backend}/seed{seed}/potential.json and errors.json
OUTPUTS:
    results/reduce/{backend}/x{concentration}/T{temperature}/spot_frames.extxyz   what was drawn
    results/label/spot_checks/{backend}/x{concentration}/T{temperature}.extxyz    accepted labels
    results/label/spot_checks/{backend}/x{concentration}/T{temperature}.csv       every attempt
    results/label/spot_checks/{backend}/summary.csv, rejected.csv                 the record of all of them
    results/reduce/{backend}/x{concentration}/T{temperature}/spot_checks.json     the potential's errors, frame by frame
    results/reduce/{backend}/spot_checks.csv                                      one line a condition
"""

SPOT_CHECKS = config["reduce"]["spot_checks"]
# Tables and records of the checks, none where there are none: what `all` and the audit ask for.
SPOT_TABLES = ["results/reduce/{backend}/spot_checks.csv"] if SPOT_CHECKS else []
SPOT_SUMMARIES = ["results/label/spot_checks/{backend}/summary.csv"] if SPOT_CHECKS else []
# Of the potentials that run some replica.
RUN_SEEDS = list(dict.fromkeys(map(seed_of, REPLICAS)))


rule reduce_spot_select:
    input:
        trajectories=replicas_of_condition("nc"),
        verdicts=replicas_of_condition("json"),
    output:
        "results/reduce/{backend}/x{concentration}/T{temperature}/spot_frames.extxyz",
    log:
        "results/logs/reduce_spot_select/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/reduce_spot_select/{backend}_x{concentration}_T{temperature}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_spot_select", "spot_frames", "conditions", "replica", "reduced", "seeds", "frames"),
        n=SPOT_CHECKS,
        seeds={int(replica): seed_of(replica) for replica in REPLICAS},
        seed=config["seed"],
    message:
        "Drawing frames to check at x = {wildcards.concentration}, {wildcards.temperature} K."
    script:
        "../scripts/reduce_spot_select.py"


# The same job with the same machine, gate, ladder, record and store.
use rule label_structures as label_spot_checks with:
    input:
        structures="results/reduce/{backend}/x{concentration}/T{temperature}/spot_frames.extxyz",
    output:
        frames="results/label/spot_checks/{backend}/x{concentration}/T{temperature}.extxyz",
        attempts="results/label/spot_checks/{backend}/x{concentration}/T{temperature}.csv",
    log:
        "results/logs/label_spot_checks/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/label_spot_checks/{backend}_x{concentration}_T{temperature}.tsv"
    priority: 0
    params:
        LABEL_CODE,
        **LABEL_RULES,
        batch=0,
        size=SPOT_CHECKS,
        settings=config["label"][LABELLER],
    message:
        "Labelling frames of the runs at x = {wildcards.concentration}, {wildcards.temperature} K."


use rule label_summary as label_spot_summary with:
    input:
        attempts=expand(
            "results/label/spot_checks/{{backend}}/x{concentration}/T{temperature}.csv",
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
        ),
    output:
        summary="results/label/spot_checks/{backend}/summary.csv",
        rejected="results/label/spot_checks/{backend}/rejected.csv",
    log:
        "results/logs/label_spot_summary/{backend}.log",
    benchmark:
        "results/benchmarks/label_spot_summary/{backend}.tsv"
    message:
        "Collecting every label attempt of the spot checks of {wildcards.backend}."


rule reduce_spot_errors:
    input:
        structures="results/reduce/{backend}/x{concentration}/T{temperature}/spot_frames.extxyz",
        labels="results/label/spot_checks/{backend}/x{concentration}/T{temperature}.extxyz",
        attempts="results/label/spot_checks/{backend}/x{concentration}/T{temperature}.csv",
        verdicts=replicas_of_condition("json"),
        # as they were trained, like the held-out errors: what was compiled may be for another machine
        potentials=[trained("potential.json", seed) for seed in RUN_SEEDS],
        errors=[trained("errors.json", seed) for seed in RUN_SEEDS],
    output:
        "results/reduce/{backend}/x{concentration}/T{temperature}/spot_checks.json",
    log:
        "results/logs/reduce_spot_errors/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/reduce_spot_errors/{backend}_x{concentration}_T{temperature}.tsv"
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    resources:
        runtime=growing(30),
        mem_mb=growing(4000),
    params:
        code(
            "reduce_spot_errors",
            "spot_errors",
            "prediction",
            "datasets",
            "frames",
            "potentials/manifest",
            "potentials/wall",
            "potentials/shifts",
            adapter,
            environment="{backend}",
        ),
        n=SPOT_CHECKS,
    message:
        "Comparing {wildcards.backend} with DFT at x = {wildcards.concentration}, {wildcards.temperature} K."
    script:
        "../scripts/reduce_spot_errors.py"


rule reduce_spot_checks:
    input:
        conditions=expand(
            "results/reduce/{{backend}}/x{concentration}/T{temperature}/spot_checks.json",
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
        ),
        # its rejections stand beside those of all other labels
        record="results/label/spot_checks/{backend}/summary.csv",
    output:
        "results/reduce/{backend}/spot_checks.csv",
    log:
        "results/logs/reduce_spot_checks/{backend}.log",
    benchmark:
        "results/benchmarks/reduce_spot_checks/{backend}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_spot_checks", "spot_errors", "convergence", "statistics", "tables"),
        species=list(SYSTEM["charges"]),
    message:
        "Writing the table of the spot checks of {wildcards.backend}."
    script:
        "../scripts/reduce_spot_checks.py"
