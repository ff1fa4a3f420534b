"""From trajectories to numbers with error bars, and their figures.

REQUIRED INPUTS: results/simulate/{backend}/x{concentration}/T{temperature}/replica{replica}.nc and .json
OUTPUTS, below results/reduce/{backend}/:
    x{concentration}/T{temperature}/{transport,structure,spectra}.nc   one condition
    {transport,structure,spectra}.nc, .csv                             the grid
    arrhenius.nc, arrhenius.csv                                        activation energies
    figures/{arrhenius,msd,rdf,vdos}.svg
"""


rule reduce_condition:
    input:
        trajectories=expand(
            "results/simulate/{{backend}}/x{{concentration}}/T{{temperature}}/replica{replica}.nc",
            replica=REPLICAS,
        ),
        verdicts=expand(
            "results/simulate/{{backend}}/x{{concentration}}/T{{temperature}}/replica{replica}.json",
            replica=REPLICAS,
        ),
        code=modules("conditions", "msd", "reduced", "spectra", "statistics", "structure", "transport"),
    output:
        transport="results/reduce/{backend}/x{concentration}/T{temperature}/transport.nc",
        structure="results/reduce/{backend}/x{concentration}/T{temperature}/structure.nc",
        spectra="results/reduce/{backend}/x{concentration}/T{temperature}/spectra.nc",
    log:
        "results/logs/reduce_condition/{backend}_x{concentration}_T{temperature}.log",
    benchmark:
        "results/benchmarks/reduce_condition/{backend}_x{concentration}_T{temperature}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=30,
        mem_mb=4000,
    params:
        **config["reduce"],
        species=list(SYSTEM["charges"]),
        charges=SYSTEM["charges"],
    message:
        "Reducing x = {wildcards.concentration} at {wildcards.temperature} K to diffusion, structure and spectra."
    script:
        "../scripts/reduce_condition.py"


rule reduce_grid:
    input:
        transport=expand(
            "results/reduce/{{backend}}/x{concentration}/T{temperature}/transport.nc",
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
        ),
        structure=expand(
            "results/reduce/{{backend}}/x{concentration}/T{temperature}/structure.nc",
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
        ),
        spectra=expand(
            "results/reduce/{{backend}}/x{concentration}/T{temperature}/spectra.nc",
            concentration=CONCENTRATIONS,
            temperature=TEMPERATURES,
        ),
        code=modules("reduced"),
    output:
        transport="results/reduce/{backend}/transport.nc",
        structure="results/reduce/{backend}/structure.nc",
        spectra="results/reduce/{backend}/spectra.nc",
        transport_csv="results/reduce/{backend}/transport.csv",
        structure_csv="results/reduce/{backend}/structure.csv",
        spectra_csv="results/reduce/{backend}/spectra.csv",
    log:
        "results/logs/reduce_grid/{backend}.log",
    benchmark:
        "results/benchmarks/reduce_grid/{backend}.tsv"
    conda:
        "../envs/analysis.yaml"
    message:
        "Collecting the grid of {wildcards.backend}."
    script:
        "../scripts/reduce_grid.py"


rule reduce_arrhenius:
    input:
        transport="results/reduce/{backend}/transport.nc",
        code=modules("arrhenius", "reduced"),
    output:
        dataset="results/reduce/{backend}/arrhenius.nc",
        table="results/reduce/{backend}/arrhenius.csv",
    log:
        "results/logs/reduce_arrhenius/{backend}.log",
    benchmark:
        "results/benchmarks/reduce_arrhenius/{backend}.tsv"
    conda:
        "../envs/analysis.yaml"
    message:
        "Fitting activation energies of {wildcards.backend}."
    script:
        "../scripts/reduce_arrhenius.py"


rule reduce_plot_arrhenius:
    input:
        transport="results/reduce/{backend}/transport.nc",
        arrhenius="results/reduce/{backend}/arrhenius.nc",
        style=modules("figures", "reduced"),
    output:
        report(
            "results/reduce/{backend}/figures/arrhenius.svg",
            caption="../report/arrhenius.rst",
            category="1. Results",
            labels={"figure": "Arrhenius", "potential": "{backend}"},
        ),
    log:
        "results/logs/reduce_plot_arrhenius/{backend}.log",
    conda:
        "../envs/analysis.yaml"
    message:
        "Drawing diffusion coefficients against 1/T."
    script:
        "../scripts/reduce_plot_arrhenius.py"


rule reduce_plot_msd:
    input:
        transport="results/reduce/{backend}/transport.nc",
        style=modules("figures", "reduced"),
    output:
        report(
            "results/reduce/{backend}/figures/msd.svg",
            caption="../report/msd.rst",
            category="1. Results",
            labels={"figure": "mean squared displacement", "potential": "{backend}"},
        ),
    log:
        "results/logs/reduce_plot_msd/{backend}.log",
    conda:
        "../envs/analysis.yaml"
    message:
        "Drawing mean squared displacements."
    script:
        "../scripts/reduce_plot_msd.py"


rule reduce_plot_rdf:
    input:
        structure="results/reduce/{backend}/structure.nc",
        style=modules("figures", "reduced"),
    output:
        report(
            "results/reduce/{backend}/figures/rdf.svg",
            caption="../report/rdf.rst",
            category="1. Results",
            labels={"figure": "radial distribution functions", "potential": "{backend}"},
        ),
    log:
        "results/logs/reduce_plot_rdf/{backend}.log",
    conda:
        "../envs/analysis.yaml"
    message:
        "Drawing radial distribution functions."
    script:
        "../scripts/reduce_plot_rdf.py"


rule reduce_plot_vdos:
    input:
        spectra="results/reduce/{backend}/spectra.nc",
        style=modules("figures", "reduced"),
    output:
        report(
            "results/reduce/{backend}/figures/vdos.svg",
            caption="../report/vdos.rst",
            category="1. Results",
            labels={"figure": "vibrational density of states", "potential": "{backend}"},
        ),
    log:
        "results/logs/reduce_plot_vdos/{backend}.log",
    conda:
        "../envs/analysis.yaml"
    message:
        "Drawing vibrational spectra."
    script:
        "../scripts/reduce_plot_vdos.py"
