"""Molecular dynamics over the grid, a batch of conditions and replicas to a job.

REQUIRED INPUTS: results/train/round{last}/{backend}/seed{seed}/compiled/potential.json,
    results/generate/x{concentration}/T{temperature}/start{replica}.extxyz
OUTPUTS, below results/simulate/{backend}/x{concentration}/T{temperature}/:
    replica{replica}.run.json   the runs of the job whose first one this is
    replica{replica}.nc         the trajectory (AMBER NetCDF)
    replica{replica}.json       the verdict of the health gate
and, no job's output, so that it outlives kills and changes of the batches:
    replica{replica}/           the run: trajectory, state, progress, facts
"""

from thermoweave import simulate_config

HEALTH = config["simulate"]["health"]
RUN_MODULES = (
    "batch",
    "runs",
    "run_facts",
    "run_checks",
    "trajectory",
    "health",
    "protocol",
    "preparation",
    "barostat",
    "seeds",
    "potentials/wall",
    "potentials/committee",
    "pairwise",
    "pairwise_torchsim",
    engine,
    adapter,
)
# What decides a run, besides its start and its potential.
SIMULATION = {
    "engine": config["simulate"]["engine"],
    "device": DEVICE,
    "protocol": simulate_config.protocol(config),
    # what every frame must keep, and what the run as it goes; what the whole must keep is judged apart, without a new run
    "limits": {key: HEALTH[key] for key in ("min_distance", "max_force", "max_temperature_ratio")},
    "checks": {
        "max_drift": HEALTH["max_drift"],
        "retry_half_step": HEALTH["retry_half_step"],
        "committee": None if HEALTH["committee"] == "none" else HEALTH["committee"],
    },
    "seed": config["seed"],
}


rule simulate_md:
    input:
        starts=lambda wildcards: ["results/generate/x{}/T{}/start{}.extxyz".format(*run) for run in members(wildcards)],
        potential=potential_of,
        committee=committee_of,
    output:
        record="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.run.json",
    log:
        "results/logs/simulate_md/{backend}_x{concentration}_T{temperature}_replica{replica}.log",
    benchmark:
        "results/benchmarks/simulate_md/{backend}_x{concentration}_T{temperature}_replica{replica}.tsv"
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    resources:
        runtime=growing(120),
        mem_mb=growing(2000),
    params:
        code("simulate_md", *RUN_MODULES, environment="{backend}"),
        **SIMULATION,
        runs=members,
        which=lambda wildcards: ", ".join(f"{t} K replica {replica}" for _, t, replica in members(wildcards)),
        folders=lambda wildcards: [run_files("", run).format(backend=wildcards.backend) for run in members(wildcards)],
    message:
        "Simulating x = {wildcards.concentration} with {wildcards.backend}: {params.which}."
    script:
        "../scripts/simulate_md.py"


rule simulate_judge:
    input:
        record=lambda wildcards: run_files(".run.json", FIRST[tuple(wildcards[1:4])]),
    output:
        trajectory="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.nc",
        verdict="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.json",
    log:
        "results/logs/simulate_judge/{backend}_x{concentration}_T{temperature}_replica{replica}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("simulate_judge", "run_checks", "msd", "statistics"),
        folder="results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}",
        max_wall_contacts=HEALTH["max_wall_contacts"],
        liquid=HEALTH["liquid"] or None,
    message:
        "Judging x = {wildcards.concentration} at {wildcards.temperature} K, replica {wildcards.replica}, with {wildcards.backend}."
    script:
        "../scripts/simulate_judge.py"


# Before a sweep is submitted: snakemake simulate_plan
rule simulate_time:
    input:
        start=f"results/generate/x{{concentration}}/T{TEMPERATURES[-1]}/start1.extxyz",
        potential=trained("compiled/potential.json", SEEDS[0]),
    output:
        "results/simulate/{backend}/x{concentration}/time.json",
    log:
        "results/logs/simulate_time/{backend}_x{concentration}.log",
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    resources:
        runtime=growing(30),
        mem_mb=growing(2000),
    params:
        code("simulate_time", *RUN_MODULES, environment="{backend}"),
        **{key: SIMULATION[key] for key in ("engine", "device", "protocol", "seed")},
        kelvin=float(TEMPERATURES[-1]),
        batch=config["simulate"]["batch"],
        max_force=HEALTH["max_force"],
    message:
        "Timing the molecular dynamics at x = {wildcards.concentration} with {wildcards.backend}."
    script:
        "../scripts/simulate_time.py"


rule simulate_plan:
    input:
        measured=expand(
            "results/simulate/{backend}/x{concentration}/time.json", backend=BACKENDS, concentration=CONCENTRATIONS
        ),
    output:
        csv="results/simulate/plan.csv",
        html="results/simulate/plan.html",
    log:
        "results/logs/simulate_plan.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("simulate_plan"),
        names=[(backend, x) for backend in BACKENDS for x in CONCENTRATIONS],
        protocol=SIMULATION["protocol"],
        batches=[len(runs) for first, runs in BATCHES.items() if first[0] == CONCENTRATIONS[0]],
        threads=RUN_THREADS,
        at_once=lambda wildcards: (workflow.resource_settings.cores or workflow.resource_settings.nodes),
    message:
        "Adding up what the sweep will cost."
    script:
        "../scripts/simulate_plan.py"
