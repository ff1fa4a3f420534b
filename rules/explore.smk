"""Walks of the potential where it will be used, and the frames worth labelling next.

REQUIRED INPUTS: results/train/round{round}/..., results/generate/x{concentration}/structures.extxyz
OUTPUTS, below results/explore/round{round}/x{concentration}/:
    candidates.extxyz, walks.csv (frames, wall contacts and end of each walk)
    selected.extxyz -> labels of round + 1
"""


rule explore_md:
    input:
        structures="results/generate/x{concentration}/structures.extxyz",
        # the first one walks; with further seeds, all of them judge the frames
        potentials=expand(
            "results/train/round{{round}}/{backend}/seed{seed}/potential.json", backend=BACKENDS[0], seed=SEEDS
        ),
    output:
        candidates="results/explore/round{round}/x{concentration}/candidates.extxyz",
        walks="results/explore/round{round}/x{concentration}/walks.csv",
    log:
        "results/logs/explore_md/round{round}_x{concentration}.log",
    benchmark:
        "results/benchmarks/explore_md/round{round}_x{concentration}.tsv"
    priority: 1
    conda:
        f"../envs/{BACKENDS[0]}.yaml"
    threads: 1
    resources:
        runtime=growing(60),
        mem_mb=growing(2000),
    params:
        code(
            "explore_md",
            "composition",
            "health",
            "preparation",
            "seeds",
            "engines/ase",
            "potentials/committee",
            "potentials/wall",
            environment=BACKENDS[0],
        ),
        composition=SYSTEM["composition"],
        density=SYSTEM["density"],
        n_units=config["generate"]["formula_units"],
        temperatures=config["explore"]["temperatures"],
        timestep_fs=config["explore"]["timestep_fs"],
        length_ps=config["explore"]["length_ps"],
        interval_ps=config["explore"]["interval_ps"],
        health=config["explore"]["health"],
        seed=config["seed"],
    message:
        "Walking with the potential of round {wildcards.round} at x = {wildcards.concentration}."
    script:
        "../scripts/explore_md.py"


rule explore_select:
    input:
        candidates="results/explore/round{round}/x{concentration}/candidates.extxyz",
    output:
        selected="results/explore/round{round}/x{concentration}/selected.extxyz",
    log:
        "results/logs/explore_select/round{round}_x{concentration}.log",
    benchmark:
        "results/benchmarks/explore_select/round{round}_x{concentration}.tsv"
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("explore_select"),
        n=config["explore"]["structures"],
        spacing_ps=config["explore"]["spacing_ps"],
        min_distance=config["label"]["gate"]["min_distance"],
    message:
        "Choosing what to label after round {wildcards.round} at x = {wildcards.concentration}."
    script:
        "../scripts/explore_select.py"
