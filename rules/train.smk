"""Potentials.

REQUIRED INPUTS: results/label/round{0..n}/x{concentration}/batch{batch}.extxyz
OUTPUTS, below results/train/:
    round{round}/{backend}/seed{seed}/
        potential.json + weights, errors.json (held-out frames, per condition), predictions.npz
        compiled/potential.json + the model compiled for this machine
        figures/parity.svg
    compare.csv, .html, .svg        all potentials of the last round side by side
and of `snakemake train_learning_curve`:
    round{round}/{backend}/seed{seed}/share{share}/errors.json, ...     trained on a part of the labels
    learning_curve.csv, .svg
"""

# What every training takes from the config.
TRAINING = {
    "backend": lambda wildcards: wildcards.backend,
    "hypers": lambda wildcards: train_config.hyperparameters(config, wildcards.backend, int(wildcards.round)),
    "seed": lambda wildcards: int(wildcards.seed),
    "sampled": {"concentrations": CONCENTRATIONS, "temperatures": config["generate"]["temperatures"]},
    "wall_stiffness": config["train"]["wall_stiffness"],
    "start": lambda wildcards: config["train"]["backends"][wildcards.backend].get("init"),
    "fine_tune": lambda wildcards: config["train"]["backends"][wildcards.backend].get("fine_tune", True),
}
TRAIN_CODE = code(
    "train_potential",
    "datasets",
    "prediction",
    "pairwise",
    "potentials/shifts",
    "potentials/start",
    "potentials/tensors",
    "potentials/wall",
    adapter,
    environment="{backend}",
)
SHARES = config["train"]["learning_curve"]


rule train_potential:
    input:
        labels=labels_until,
        start=lambda wildcards: config["train"]["backends"][wildcards.backend].get("init", []),
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
        runtime=growing(120),
        mem_mb=growing(4000),
    params:
        TRAIN_CODE,
        **TRAINING,
        directory="results/train/round{round}/{backend}/seed{seed}/training",
    message:
        "Training {wildcards.backend} (seed {wildcards.seed}) on the labels of rounds 0 to {wildcards.round}; any new label trains it again."
    script:
        "../scripts/train_potential.py"


# On a part of the labels, for the learning curve.
use rule train_potential as train_share with:
    output:
        manifest="results/train/round{round}/{backend}/seed{seed}/share{share}/potential.json",
        errors="results/train/round{round}/{backend}/seed{seed}/share{share}/errors.json",
        predictions="results/train/round{round}/{backend}/seed{seed}/share{share}/predictions.npz",
    log:
        "results/logs/train_share/round{round}_{backend}_seed{seed}_share{share}.log",
    benchmark:
        "results/benchmarks/train_share/round{round}_{backend}_seed{seed}_share{share}.tsv"
    priority: 0
    params:
        TRAIN_CODE,
        **TRAINING,
        directory="results/train/round{round}/{backend}/seed{seed}/share{share}/training",
        share=lambda wildcards: float(wildcards.share),
    message:
        "Training {wildcards.backend} (seed {wildcards.seed}) on {wildcards.share} of the labels."


rule train_compile:
    input:
        potential="results/train/round{round}/{backend}/seed{seed}/potential.json",
        labels=batch_files("extxyz", 0),
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
        runtime=growing(30),
        mem_mb=growing(4000),
    params:
        code("train_compile", environment="{backend}"),
        mode=config["train"]["compile"],
        device=DEVICE,
    message:
        "Compiling and timing {wildcards.backend} (seed {wildcards.seed}) of round {wildcards.round} for this machine."
    script:
        "../scripts/train_compile.py"


rule train_plot_parity:
    input:
        predictions="results/train/round{round}/{backend}/seed{seed}/predictions.npz",
        errors="results/train/round{round}/{backend}/seed{seed}/errors.json",
    output:
        report(
            "results/train/round{round}/{backend}/seed{seed}/figures/parity.svg",
            caption="../report/parity.rst",
            category="2. Potential",
            labels={"figure": "forces on held-out labels", "seed": "{seed}"},
        ),
    log:
        "results/logs/train_plot_parity/round{round}_{backend}_seed{seed}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("train_plot_parity", "figures"),
    message:
        "Drawing predicted against reference forces of {wildcards.backend}, seed {wildcards.seed}."
    script:
        "../scripts/train_plot_parity.py"


rule train_compare:
    input:
        manifests=expand(trained("compiled/potential.json"), backend=BACKENDS, seed=SEEDS),
        predictions=expand(trained("predictions.npz"), backend=BACKENDS, seed=SEEDS),
    output:
        csv="results/train/compare.csv",
        html=report(
            "results/train/compare.html",
            caption="../report/compare.rst",
            category="2. Potential",
            labels={"figure": "potentials side by side", "seed": "all"},
        ),
        figure=report(
            "results/train/compare.svg",
            caption="../report/compare.rst",
            category="2. Potential",
            labels={"figure": "error against cost", "seed": "all"},
        ),
    log:
        "results/logs/train_compare.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("train_compare", "figures", "prediction"),
    message:
        "Comparing the potentials on the same held-out labels."
    script:
        "../scripts/train_compare.py"


rule train_learning_curve:
    input:
        errors=expand(trained("errors.json"), backend=BACKENDS, seed=SEEDS),
        predictions=expand(trained("predictions.npz"), backend=BACKENDS, seed=SEEDS),
        share_errors=expand(trained("share{share}/errors.json"), backend=BACKENDS, seed=SEEDS, share=SHARES),
        share_predictions=expand(trained("share{share}/predictions.npz"), backend=BACKENDS, seed=SEEDS, share=SHARES),
    output:
        csv="results/train/learning_curve.csv",
        figure=report(
            "results/train/learning_curve.svg",
            caption="../report/learning_curve.rst",
            category="2. Potential",
            labels={"figure": "learning curve", "seed": "all"},
        ),
    log:
        "results/logs/train_learning_curve.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("train_learning_curve", "figures", "prediction"),
    message:
        "Drawing how the errors fall with the number of labels."
    script:
        "../scripts/train_learning_curve.py"
