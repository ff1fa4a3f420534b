"""Walks of the potentials where they will be used, what is worth labelling next, and what the labels cover.

REQUIRED INPUTS: results/train/round{round}/..., results/generate/x{concentration}/structures.extxyz,
    results/label/round{round + 1}/... (what a round chose, to judge it by)
OUTPUTS, below results/explore/round{round}/:
    held_out.csv, calibration.json              the committee's errors on labels that it has not seen; what to expect of it
    x{concentration}/candidates.extxyz, walks.csv
    selected.extxyz, selection.csv              -> labels of round + 1
    fresh.csv, checked.json, coverage.csv       its errors on these, what to expect now, which conditions are covered
    stop.json                                   whether the loop ends
and of all rounds, below results/explore/:
    coverage.csv, conditions.csv, coverage.html, figures/coverage.svg, figures/calibration.svg
"""

EXPLORE = config["explore"]
# What says which conditions are covered, none where nothing walks.
COVERAGE = ["results/explore/conditions.csv"] if MOST_ROUNDS else []
COVERAGE_FIGURES = expand("results/explore/figures/{name}.svg", name=["coverage", "calibration"]) if MOST_ROUNDS else []
CALIBRATION = ("calibration", "committee_errors", "potentials/committee")


rule explore_calibrate:
    input:
        predictions=committee("predictions.npz"),
        earlier=lambda wildcards: rounds.fresh(int(wildcards.round)),
    output:
        pairs="results/explore/round{round}/held_out.csv",
        calibration="results/explore/round{round}/calibration.json",
    log:
        "results/logs/explore_calibrate/round{round}.log",
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("explore_calibrate", *CALIBRATION),
    message:
        "Calibrating how wrong the potentials of round {wildcards.round} are where they disagree."
    script:
        "../scripts/explore_calibrate.py"


rule explore_md:
    input:
        structures="results/generate/x{concentration}/structures.extxyz",
        potentials=committee("potential.json"),
        calibration="results/explore/round{round}/calibration.json",
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
            "walks",
            "composition",
            "health",
            "preparation",
            "seeds",
            "calibration",
            "engines/ase",
            "potentials/committee",
            "potentials/wall",
            environment=BACKENDS[0],
        ),
        composition=SYSTEM["composition"],
        density=SYSTEM["density"],
        n_units=config["generate"]["formula_units"],
        temperatures=lambda wildcards: rounds.temperatures(config, int(wildcards.round)),
        margins=EXPLORE["margins"],
        pace={key: EXPLORE[key] for key in ("timestep_fs", "length_ps", "interval_ps", "leave")},
        health=EXPLORE["health"],
        device=DEVICE,
        seed=config["seed"],
    message:
        "Walking with the potentials of round {wildcards.round} at x = {wildcards.concentration}."
    script:
        "../scripts/explore_md.py"


rule explore_select:
    input:
        candidates=walked("candidates.extxyz"),
    output:
        selected="results/explore/round{round}/selected.extxyz",
        table="results/explore/round{round}/selection.csv",
    log:
        "results/logs/explore_select/round{round}.log",
    benchmark:
        "results/benchmarks/explore_select/round{round}.tsv"
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        # no parameter: another target judges anew, but what was chosen and labelled for the one before stays
        target=str(EXPLORE["target"]),
    params:
        code("explore_select", "selection", "frames", "seeds"),
        **{key: EXPLORE[key] for key in ("labels_per_round", "random_share", "spacing_ps")},
        min_distance=config["label"]["gate"]["min_distance"],
        seed=config["seed"],
    message:
        "Choosing what to label after round {wildcards.round}."
    script:
        "../scripts/explore_select.py"


rule explore_check:
    input:
        selected="results/explore/round{round}/selected.extxyz",
        labels=lambda wildcards: rounds.batch_files(config, "extxyz", int(wildcards.round) + 1),
        # the held-out labels of all rounds, as this committee predicts them: each counts once
        earlier=lambda wildcards: rounds.fresh(int(wildcards.round)) + ["results/explore/round{round}/held_out.csv"],
        calibration="results/explore/round{round}/calibration.json",
    output:
        pairs="results/explore/round{round}/fresh.csv",
        calibration="results/explore/round{round}/checked.json",
    log:
        "results/logs/explore_check/round{round}.log",
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("explore_check", *CALIBRATION),
        n_members=len(SEEDS),
    message:
        "Checking what was expected of the potentials of round {wildcards.round} by the labels that they asked for."
    script:
        "../scripts/explore_check.py"


rule explore_judge:
    input:
        calibration="results/explore/round{round}/checked.json",
        pairs=lambda wildcards: rounds.fresh(int(wildcards.round) + 1) + ["results/explore/round{round}/held_out.csv"],
        candidates=walked("candidates.extxyz"),
        walks=walked("walks.csv"),
    output:
        "results/explore/round{round}/coverage.csv",
    log:
        "results/logs/explore_judge/round{round}.log",
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("explore_judge", "calibration", "coverage", "statistics", "seeds"),
        target=EXPLORE["target"],
        seed=config["seed"],
    message:
        "Judging which conditions the labels cover after round {wildcards.round}."
    script:
        "../scripts/explore_judge.py"


# The one place where results decide which jobs there are.
checkpoint explore_stop:
    input:
        coverage=lambda wildcards: [
            f"results/explore/round{k}/coverage.csv"
            for k in range(max(0, int(wildcards.round) - 1), int(wildcards.round) + 1)
        ],
    output:
        "results/explore/round{round}/stop.json",
    log:
        "results/logs/explore_stop/round{round}.log",
    priority: 1
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("explore_stop", "coverage", "cost"),
        conditions=[(x, t) for x in CONCENTRATIONS for t in EXPLORE["temperatures"]],
        core_h=None if EXPLORE["budget"]["core_h"] == "none" else EXPLORE["budget"]["core_h"],
        benchmarks="results/benchmarks",
    message:
        "Deciding whether the labels suffice after round {wildcards.round}."
    script:
        "../scripts/explore_stop.py"


rule explore_coverage:
    input:
        coverage=lambda wildcards: rounds_walked("coverage.csv"),
        fresh=lambda wildcards: rounds_walked("fresh.csv"),
    output:
        coverage="results/explore/coverage.csv",
        conditions="results/explore/conditions.csv",
        html=report(
            "results/explore/coverage.html",
            caption="../report/coverage.rst",
            category="2. Potential",
            labels={"figure": "which conditions the labels cover", "seed": "all"},
        ),
        figure=report(
            "results/explore/figures/coverage.svg",
            caption="../report/coverage.rst",
            category="2. Potential",
            labels={"figure": "expected force error by round", "seed": "all"},
        ),
        calibration=report(
            "results/explore/figures/calibration.svg",
            caption="../report/calibration.rst",
            category="2. Potential",
            labels={"figure": "expected against true force error", "seed": "all"},
        ),
        tables=expand(
            "results/explore/figures/{name}.{ending}", name=["coverage", "calibration"], ending=["csv", "pdf"]
        ),
    log:
        "results/logs/explore_coverage.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("explore_coverage", "coverage", "figures"),
        concentrations=CONCENTRATIONS,
        temperatures=TEMPERATURES,
        target=EXPLORE["target"],
    message:
        "Drawing which conditions the labels cover, round by round."
    script:
        "../scripts/explore_coverage.py"
