"""Potentials.

REQUIRED INPUTS: results/label/round{0..n}/x{concentration}/batch{batch}.extxyz
OUTPUTS, below results/train/round{round}/{backend}/seed{seed}/:
    potential.json + weights, errors.json (held-out frames, per condition), predictions.npz
    compiled/potential.json + the model compiled for this machine
    figures/parity.svg
"""


rule train_potential:
    input:
        labels=labels_until,
        adapter=modules("potentials/{backend}"),
        code=modules("potentials/wall", "datasets"),
    output:
        manifest="results/train/round{round}/{backend}/seed{seed}/potential.json",
        errors="results/train/round{round}/{backend}/seed{seed}/errors.json",
        predictions="results/train/round{round}/{backend}/seed{seed}/predictions.npz",
    log:
        "results/logs/train_potential/round{round}_{backend}_seed{seed}.log",
    benchmark:
        "results/benchmarks/train_potential/round{round}_{backend}_seed{seed}.tsv"
    priority: 1
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    resources:
        runtime=120,
        mem_mb=4000,
    params:
        directory="results/train/round{round}/{backend}/seed{seed}/training",
        backend=lambda wildcards: wildcards.backend,
        hypers=lambda wildcards: campaign.hyperparameters(config, wildcards.backend, int(wildcards.round)),
        seed=lambda wildcards: int(wildcards.seed),
        wall_stiffness=config["train"]["wall_stiffness"],
    message:
        "Training {wildcards.backend} (seed {wildcards.seed}) on the labels of rounds 0 to {wildcards.round}; any new label trains it again."
    script:
        "../scripts/train_potential.py"


rule train_compile:
    input:
        potential="results/train/round{round}/{backend}/seed{seed}/potential.json",
        labels=batch_files("extxyz", 0)[:1],
    output:
        manifest="results/train/round{round}/{backend}/seed{seed}/compiled/potential.json",
    log:
        "results/logs/train_compile/round{round}_{backend}_seed{seed}.log",
    benchmark:
        "results/benchmarks/train_compile/round{round}_{backend}_seed{seed}.tsv"
    priority: 1
    conda:
        "../envs/{backend}.yaml"
    threads: 1
    resources:
        runtime=30,
        mem_mb=4000,
    params:
        mode=config["train"]["compile"],
    message:
        "Compiling {wildcards.backend} (seed {wildcards.seed}) of round {wildcards.round} for this machine."
    script:
        "../scripts/train_compile.py"


rule train_plot_parity:
    input:
        predictions="results/train/round{round}/{backend}/seed{seed}/predictions.npz",
        errors="results/train/round{round}/{backend}/seed{seed}/errors.json",
        style=modules("figures"),
    output:
        report(
            "results/train/round{round}/{backend}/seed{seed}/figures/parity.svg",
            caption="../report/parity.rst",
            category="2. Potential",
            labels={"figure": "forces on held-out labels", "seed": "{seed}"},
        ),
    log:
        "results/logs/train_plot_parity/round{round}_{backend}_seed{seed}.log",
    conda:
        "../envs/analysis.yaml"
    message:
        "Drawing predicted against reference forces of {wildcards.backend}, seed {wildcards.seed}."
    script:
        "../scripts/train_plot_parity.py"
