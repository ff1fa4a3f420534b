"""Potentials.

REQUIRED INPUTS: results/label/..., the labels of rounds 0 to n
OUTPUTS, below results/train/:
    round{round}/{backend}/seed{seed}/
        potential.json + weights, errors.json (held-out frames, per condition), predictions.npz
    final/{backend}/seed{seed}/
        the same, of the last round: what runs the grid
        compiled/potential.json + the model compiled for this machine
        figures/parity.svg, .pdf, .csv
    compare.csv, .html, .svg        all final potentials side by side
and of `snakemake train_learning_curve`:
    final/{backend}/seed{seed}/share{share}/errors.json, ...     trained on a part of the labels
    learning_curve.csv, .svg
"""

# What every training takes from the config.
TRAINING = {
    "backend": lambda wildcards: wildcards.backend,
    "seed": lambda wildcards: int(wildcards.seed),
    "wall_stiffness": config["train"]["wall_stiffness"],
    "start": lambda wildcards, input: input.get("start") or None,
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
        labels=lambda wildcards: rounds.labels_until(config, int(wildcards.round)),
        start=start_of_training,
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
        hypers=lambda wildcards: train_config.hyperparameters(config, wildcards.backend, int(wildcards.round)),
        sampled=rounds.sampled(config),
        directory="results/train/round{round}/{backend}/seed{seed}/training",
    message:
        "Training {wildcards.backend} (seed {wildcards.seed}) on the labels of rounds 0 to {wildcards.round}; any new label trains it again."
    script:
        "../scripts/train_potential.py"


rule train_final:
    input:
        manifest=of_last_round("potential.json"),
        errors=of_last_round("errors.json"),
        predictions=of_last_round("predictions.npz"),
    output:
        manifest="results/train/final/{backend}/seed{seed}/potential.json",
        errors="results/train/final/{backend}/seed{seed}/errors.json",
        predictions="results/train/final/{backend}/seed{seed}/predictions.npz",
    log:
        "results/logs/train_final/{backend}_seed{seed}.log",
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("train_final", "potentials/manifest"),
    message:
        "Taking {wildcards.backend} (seed {wildcards.seed}) of the last round for the grid."
    script:
        "../scripts/train_final.py"


# On a part of the labels, for the learning curve.
use rule train_potential as train_share with:
    input:
        labels=lambda wildcards: rounds.labels_until(config, last_round()),
        start=lambda wildcards: config["train"]["backends"][wildcards.backend].get("init", []),
    output:
        manifest="results/train/final/{backend}/seed{seed}/share{share}/potential.json",
        errors="results/train/final/{backend}/seed{seed}/share{share}/errors.json",
        predictions="results/train/final/{backend}/seed{seed}/share{share}/predictions.npz",
    log:
        "results/logs/train_share/{backend}_seed{seed}_share{share}.log",
    benchmark:
        "results/benchmarks/train_share/{backend}_seed{seed}_share{share}.tsv"
    priority: 0
    params:
        TRAIN_CODE,
        **TRAINING,
        hypers=lambda wildcards: train_config.hyperparameters(config, wildcards.backend, MOST_ROUNDS),
        sampled=rounds.sampled(config),
        directory="results/train/final/{backend}/seed{seed}/share{share}/training",
        share=lambda wildcards: float(wildcards.share),
    message:
        "Training {wildcards.backend} (seed {wildcards.seed}) on {wildcards.share} of the labels."


rule train_compile:
    input:
        potential="results/train/final/{backend}/seed{seed}/potential.json",
        labels=rounds.batch_files(config, "extxyz", 0),
    output:
        manifest="results/train/final/{backend}/seed{seed}/compiled/potential.json",
    log:
        "results/logs/train_compile/{backend}_seed{seed}.log",
    benchmark:
        "results/benchmarks/train_compile/{backend}_seed{seed}.tsv"
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
        "Compiling and timing {wildcards.backend} (seed {wildcards.seed}) for this machine."
    script:
        "../scripts/train_compile.py"


rule train_plot_parity:
    input:
        predictions="results/train/final/{backend}/seed{seed}/predictions.npz",
        errors="results/train/final/{backend}/seed{seed}/errors.json",
    output:
        report(
            "results/train/final/{backend}/seed{seed}/figures/parity.svg",
            caption="../report/parity.rst",
            category="2. Potential",
            labels={"figure": "forces on held-out labels", "seed": "{seed}"},
        ),
        "results/train/final/{backend}/seed{seed}/figures/parity.pdf",
        "results/train/final/{backend}/seed{seed}/figures/parity.csv",
    log:
        "results/logs/train_plot_parity/{backend}_seed{seed}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("train_plot_parity", "figures", "reduced"),
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
