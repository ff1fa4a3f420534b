"""The figures of the reductions, each as SVG with the same as PDF and what it shows as CSV.

REQUIRED INPUTS, below results/reduce/{backend}/: transport.nc, arrhenius.nc, structure.nc, spectra.nc, budget.csv
OUTPUTS, there: figures/{arrhenius,activation,conductivity,budget,msd,rdf,vdos,conductivity_spectrum}.{svg,pdf,csv},
    and where the config asks for them solvation and structure_factor
"""


rule reduce_plot_arrhenius:
    input:
        transport="results/reduce/{backend}/transport.nc",
        arrhenius="results/reduce/{backend}/arrhenius.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/arrhenius.svg",
            caption="../report/arrhenius.rst",
            category="1. Results",
            labels={"figure": "Arrhenius", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/arrhenius.pdf",
        "results/reduce/{backend}/figures/arrhenius.csv",
    log:
        "results/logs/reduce_plot_arrhenius/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_arrhenius", "figures", "coverage", "reduced", "arrhenius_points", "censored"),
    message:
        "Drawing diffusion coefficients against 1/T."
    script:
        "../scripts/reduce_plot_arrhenius.py"


rule reduce_plot_activation:
    input:
        arrhenius="results/reduce/{backend}/arrhenius.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/activation.svg",
            caption="../report/activation.rst",
            category="1. Results",
            labels={"figure": "activation energies", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/activation.pdf",
        "results/reduce/{backend}/figures/activation.csv",
    log:
        "results/logs/reduce_plot_activation/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_activation", "figures", "coverage", "reduced"),
    message:
        "Drawing activation energies against the concentration."
    script:
        "../scripts/reduce_plot_activation.py"


rule reduce_plot_conductivity:
    input:
        transport="results/reduce/{backend}/transport.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/conductivity.svg",
            caption="../report/conductivity.rst",
            category="1. Results",
            labels={"figure": "conductivity", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/conductivity.pdf",
        "results/reduce/{backend}/figures/conductivity.csv",
    log:
        "results/logs/reduce_plot_conductivity/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_conductivity", "figures", "coverage", "reduced"),
    message:
        "Drawing conductivities, Haven ratios and transference numbers."
    script:
        "../scripts/reduce_plot_conductivity.py"


rule reduce_plot_budget:
    input:
        budget="results/reduce/{backend}/budget.csv",
    output:
        report(
            "results/reduce/{backend}/figures/budget.svg",
            caption="../report/budget.rst",
            category="1. Results",
            labels={"figure": "error budget", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/budget.pdf",
        "results/reduce/{backend}/figures/budget.csv",
    log:
        "results/logs/reduce_plot_budget/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_budget", "figures", "reduced", "budget"),
    message:
        "Drawing the error budget."
    script:
        "../scripts/reduce_plot_budget.py"


rule reduce_plot_msd:
    input:
        transport="results/reduce/{backend}/transport.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/msd.svg",
            caption="../report/msd.rst",
            category="1. Results",
            labels={"figure": "mean squared displacement", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/msd.pdf",
        "results/reduce/{backend}/figures/msd.csv",
    log:
        "results/logs/reduce_plot_msd/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_msd", "figures", "coverage", "reduced"),
    message:
        "Drawing mean squared displacements."
    script:
        "../scripts/reduce_plot_msd.py"


rule reduce_plot_rdf:
    input:
        structure="results/reduce/{backend}/structure.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/rdf.svg",
            caption="../report/rdf.rst",
            category="1. Results",
            labels={"figure": "radial distribution functions", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/rdf.pdf",
        "results/reduce/{backend}/figures/rdf.csv",
    log:
        "results/logs/reduce_plot_rdf/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_rdf", "figures", "coverage", "reduced"),
    message:
        "Drawing radial distribution functions."
    script:
        "../scripts/reduce_plot_rdf.py"


rule reduce_plot_solvation:
    input:
        structure="results/reduce/{backend}/structure.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/solvation.svg",
            caption="../report/solvation.rst",
            category="1. Results",
            labels={"figure": "solvation shells", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/solvation.pdf",
        "results/reduce/{backend}/figures/solvation.csv",
    log:
        "results/logs/reduce_plot_solvation/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_solvation", "figures", "coverage", "reduced"),
    message:
        "Drawing solvation shells and residence times."
    script:
        "../scripts/reduce_plot_solvation.py"


rule reduce_plot_vdos:
    input:
        spectra="results/reduce/{backend}/spectra.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/vdos.svg",
            caption="../report/vdos.rst",
            category="1. Results",
            labels={"figure": "vibrational density of states", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/vdos.pdf",
        "results/reduce/{backend}/figures/vdos.csv",
    log:
        "results/logs/reduce_plot_vdos/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_vdos", "figures", "coverage", "reduced", "ridge"),
    message:
        "Drawing vibrational spectra."
    script:
        "../scripts/reduce_plot_vdos.py"


rule reduce_plot_conductivity_spectrum:
    input:
        spectra="results/reduce/{backend}/spectra.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/conductivity_spectrum.svg",
            caption="../report/conductivity_spectrum.rst",
            category="1. Results",
            labels={"figure": "conductivity spectrum", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/conductivity_spectrum.pdf",
        "results/reduce/{backend}/figures/conductivity_spectrum.csv",
    log:
        "results/logs/reduce_plot_conductivity_spectrum/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_conductivity_spectrum", "figures", "coverage", "reduced", "ridge"),
    message:
        "Drawing conductivity spectra."
    script:
        "../scripts/reduce_plot_conductivity_spectrum.py"


rule reduce_plot_structure_factor:
    input:
        spectra="results/reduce/{backend}/spectra.nc",
        coverage=COVERAGE,
    output:
        report(
            "results/reduce/{backend}/figures/structure_factor.svg",
            caption="../report/structure_factor.rst",
            category="1. Results",
            labels={"figure": "structure factors", "potential": "{backend}"},
        ),
        "results/reduce/{backend}/figures/structure_factor.pdf",
        "results/reduce/{backend}/figures/structure_factor.csv",
    log:
        "results/logs/reduce_plot_structure_factor/{backend}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        code("reduce_plot_structure_factor", "figures", "coverage", "reduced", "ridge"),
    message:
        "Drawing structure factors."
    script:
        "../scripts/reduce_plot_structure_factor.py"
