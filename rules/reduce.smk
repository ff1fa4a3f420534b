"""From trajectories to numbers with error bars, and their figures.

REQUIRED INPUTS: results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.nc and .json
OUTPUTS, below results/reduce/{backend}/:
    x{concentration}/T{temperature}/{transport,structure,spectra}.nc   one condition
    {transport,structure,spectra}.nc, .csv                             the grid
    arrhenius.nc, arrhenius.csv, predictions.csv                       activation energies, extrapolations
    budget.csv, budget.html                                            where the bars come from
"""


rule reduce_transport:
    input:
        trajectories=replicas_of_condition("nc"),
        verdicts=replicas_of_condition("json"),
    output:
        "results/reduce/{backend}/x{concentration}/T{temperature}/transport.nc",
    log:
        "results/logs/reduce_transport/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/reduce_transport/{backend}_x{concentration}_T{temperature}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=growing(60),
        mem_mb=growing(REDUCE_MB),
        memory_MB=REDUCE_PIECES_MB,  # no parameter: other pieces give the same numbers
    params:
        code(
            "reduce_transport",
            "transport_dataset",
            "conditions",
            "replica",
            "reduced",
            "statistics",
            "coefficient",
            "collective",
            "msd",
            "onsager",
            "transport",
            "msd_line",
            "transport_variables",
            "viscosity",
            "zero_frequency",
        ),
        species=list(SYSTEM["charges"]),
        charges=SYSTEM["charges"],
        onset_floor_ps=config["reduce"]["onset_floor_ps"],
        n_lags=config["reduce"]["n_lags"],
        stress_trained=config["label"]["stress"],
    message:
        "Reducing x = {wildcards.concentration} at {wildcards.temperature} K to diffusion, conductivity and viscosity."
    script:
        "../scripts/reduce_transport.py"


rule reduce_structure:
    input:
        trajectories=replicas_of_condition("nc"),
        verdicts=replicas_of_condition("json"),
    output:
        "results/reduce/{backend}/x{concentration}/T{temperature}/structure.nc",
    log:
        "results/logs/reduce_structure/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/reduce_structure/{backend}_x{concentration}_T{temperature}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=growing(60),
        mem_mb=growing(REDUCE_MB),
        memory_MB=REDUCE_PIECES_MB,  # no parameter: other pieces give the same numbers
    params:
        code(
            "reduce_structure",
            "structure_dataset",
            "conditions",
            "replica",
            "reduced",
            "structure",
            "solvation",
            "bands",
        ),
        species=list(SYSTEM["charges"]),
        rdf_bin_A=config["reduce"]["rdf_bin_A"],
        rdf_max_A=config["reduce"]["rdf_max_A"],
        solvation=config["reduce"]["solvation"],
    message:
        "Reducing x = {wildcards.concentration} at {wildcards.temperature} K to structure."
    script:
        "../scripts/reduce_structure.py"


rule reduce_spectra:
    input:
        trajectories=replicas_of_condition("nc"),
        verdicts=replicas_of_condition("json"),
    output:
        "results/reduce/{backend}/x{concentration}/T{temperature}/spectra.nc",
    log:
        "results/logs/reduce_spectra/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/reduce_spectra/{backend}_x{concentration}_T{temperature}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=growing(60),
        mem_mb=growing(REDUCE_MB),
        memory_MB=REDUCE_PIECES_MB,  # no parameter: other pieces give the same numbers
    params:
        code(
            "reduce_spectra",
            "spectra_dataset",
            "structure_factor_dataset",
            "spectra",
            "current_spectrum",
            "structure_factor",
            "dynamic_structure_factor",
            "welch",
            "bands",
            "conditions",
            "replica",
            "reduced",
            "statistics",
        ),
        **config["reduce"]["spectra"],
        species=list(SYSTEM["charges"]),
        charges=SYSTEM["charges"],
    message:
        "Reducing x = {wildcards.concentration} at {wildcards.temperature} K to spectra."
    script:
        "../scripts/reduce_spectra.py"


rule reduce_grid:
    input:
        conditions=expand(
            "results/reduce/{{backend}}/x{concentration}/T{temperature}/{{reduction}}.nc",
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
        ),
    output:
        dataset="results/reduce/{backend}/{reduction}.nc",
        table="results/reduce/{backend}/{reduction}.csv",
    log:
        "results/logs/reduce_grid/{backend}_{reduction}.log",
    benchmark:
        "results/benchmarks/reduce_grid/{backend}_{reduction}.tsv"
    wildcard_constraints:
        reduction="transport|structure|spectra",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_grid", "reduced"),
    message:
        "Collecting the {wildcards.reduction} of the grid of {wildcards.backend}."
    script:
        "../scripts/reduce_grid.py"


rule reduce_arrhenius:
    input:
        transport="results/reduce/{backend}/transport.nc",
    output:
        dataset="results/reduce/{backend}/arrhenius.nc",
        table="results/reduce/{backend}/arrhenius.csv",
        predictions="results/reduce/{backend}/predictions.csv",
    log:
        "results/logs/reduce_arrhenius/{backend}.log",
    benchmark:
        "results/benchmarks/reduce_arrhenius/{backend}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code(
            "reduce_arrhenius",
            "arrhenius_dataset",
            "arrhenius_points",
            "arrhenius",
            "censored",
            "vtf",
            "kink",
            "extrapolation",
            "activation",
            "reduced",
        ),
        predict=config["reduce"]["predict"],
        run_temperature=config["simulate"]["protocol"]["production_thermostat_ps"] == "nve",
    message:
        "Fitting activation energies of {wildcards.backend}."
    script:
        "../scripts/reduce_arrhenius.py"


rule reduce_budget:
    input:
        transport="results/reduce/{backend}/transport.nc",
        arrhenius="results/reduce/{backend}/arrhenius.nc",
        verdicts=lambda wildcards: verdicts(wildcards.backend),
        manifests=expand(trained("potential.json"), seed=SEEDS, allow_missing=True),
    output:
        csv="results/reduce/{backend}/budget.csv",
        html=report(
            "results/reduce/{backend}/budget.html",
            caption="../report/budget.rst",
            category="1. Results",
            labels={"figure": "error budget", "potential": "{backend}"},
        ),
    log:
        "results/logs/reduce_budget/{backend}.log",
    benchmark:
        "results/benchmarks/reduce_budget/{backend}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_budget", "budget", "budget_series", "reduced", "tables"),
        seeds=SEEDS,
        convergence=label_convergence_known,
        threads=RUN_THREADS,
    message:
        "Error budget of {wildcards.backend}."
    script:
        "../scripts/reduce_budget.py"
