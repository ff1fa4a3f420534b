"""Molecular dynamics over the grid, one job a condition and replica.

REQUIRED INPUTS: results/train/round{last}/{backend}/seed{seed}/compiled/potential.json,
    results/generate/x{concentration}/T{temperature}/start{replica}.extxyz
OUTPUTS, below results/simulate/{backend}/x{concentration}/T{temperature}/:
    replica{replica}.nc         the trajectory (AMBER NetCDF)
    replica{replica}.run.json   the facts of the run
    replica{replica}.json       the verdict of the health gate
"""

HEALTH = config["simulate"]["health"]


rule simulate_md:
    input:
        start="results/generate/x{concentration}/T{temperature}/start{replica}.extxyz",
        potential=potential_of,
        code=modules("engines/ase", "potentials/wall"),
    output:
        trajectory="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.nc",
        facts="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.run.json",
    log:
        "results/logs/simulate_md/{backend}_x{concentration}_T{temperature}_replica{replica}.log",
    benchmark:
        "results/benchmarks/simulate_md/{backend}_x{concentration}_T{temperature}_replica{replica}.tsv"
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    resources:
        runtime=120,
        mem_mb=2000,
    params:
        protocol=config["simulate"]["protocol"],
        # what every frame must keep; what the whole run must keep is judged apart, so that it can change without a new run
        limits={key: HEALTH[key] for key in ("min_distance", "max_force", "max_temperature_ratio")},
        seed=config["seed"],
    message:
        "Simulating x = {wildcards.concentration} at {wildcards.temperature} K, replica {wildcards.replica}, with {wildcards.backend}."
    script:
        "../scripts/simulate_md.py"


rule simulate_judge:
    input:
        facts="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.run.json",
    output:
        verdict="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.json",
    log:
        "results/logs/simulate_judge/{backend}_x{concentration}_T{temperature}_replica{replica}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        max_wall_contacts=HEALTH["max_wall_contacts"],
        min_displacement=HEALTH["min_displacement"],
    message:
        "Judging x = {wildcards.concentration} at {wildcards.temperature} K, replica {wildcards.replica}, with {wildcards.backend}."
    script:
        "../scripts/simulate_judge.py"
