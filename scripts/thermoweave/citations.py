"""What to cite for what: keys of resources/references.bib by program, setting and method.

`METHODS` names what docs/methods.md describes; texts cite it by these names, so that a method and its papers cannot
part.
"""

PROGRAMS = {
    "thermoweave": ("Thermoweave",),
    "snakemake": ("Molder2021",),
    "pwscf": ("Giannozzi2009", "Giannozzi2017"),
    "ase": ("Larsen2017",),
    "numpy": ("Harris2020",),
    "scipy": ("Virtanen2020",),
    "xarray": ("Hoyer2017",),
    "matplotlib": ("Hunter2007",),
    "torch": ("Paszke2019",),
    "torchsim": ("Cohen2025",),
    "lammps": ("Thompson2022",),
}
# Of a backend, by the value of its hyperparameter `model` where it has several.
POTENTIALS = {
    "nequip": {"NequIP": ("Batzner2022", "Tan2025"), "Allegro": ("Musaelian2023", "Tan2025")},
    "mace": {"": ("Batatia2022", "Batatia2025")},
    "schnetpack": {"PaiNN": ("Schutt2021", "Schutt2023"), "SchNet": ("Schutt2018", "Schutt2023")},
    "torchani": {"": ("Smith2017", "Gao2020")},
    "deepmd": {"": ("Zhang2018", "Zeng2023")},
    "lennard_jones": {"": ("LennardJones1931",)},
}
FUNCTIONALS = {
    "LDA": ("Perdew1981",),
    "PBE": ("Perdew1996",),
    "PBEsol": ("Perdew2008",),
    "revPBE": ("Zhang1998",),
    "BLYP": ("Becke1988", "Lee1988"),
}
TIGHT_BINDING = {"GFN1-xTB": ("Grimme2017",), "GFN2-xTB": ("Bannwarth2019",), "IPEA1-xTB": ("Asgeirsson2017",)}
DISPERSION = {
    **dict.fromkeys(("dft-d", "grimme-d2"), ("Grimme2006",)),
    **dict.fromkeys(("dft-d3", "grimme-d3"), ("Grimme2010",)),
    **dict.fromkeys(("ts", "ts-vdw", "tkatchenko-scheffler"), ("Tkatchenko2009",)),
    **dict.fromkeys(("mbd", "mbd_vdw", "many-body-dispersion"), ("Tkatchenko2012",)),
    "xdm": ("OterodelaRoza2012",),
}
SMEARING = {
    "gaussian": (),
    "fermi-dirac": (),
    "methfessel-paxton": ("Methfessel1989",),
    "marzari-vanderbilt": ("Marzari1999",),
}
# What a pseudopotential file is, by what its name or its first lines hold (without case).
PSEUDOPOTENTIALS = {
    r"\.gth$|\bGTH\b": ("Goedecker–Teter–Hutter", ("Goedecker1996", "Hartwigsen1998")),
    r"oncvpsp": ("optimized norm-conserving Vanderbilt", ("Hamann2013",)),
    r"uspp\.F\.UPF": ("GBRV ultrasoft", ("Garrity2014",)),
    r"_psl\b|_psl\.": ("PSlibrary", ("DalCorso2014",)),
    r"troullier-martins": ("Troullier–Martins", ("Troullier1991",)),
}
METHODS = {
    "pair_potential": ("Fumi1964", "Fennell2006"),
    "k_points": ("Monkhorst1976",),
    "rejections": ("Fisher1935", "Westfall1993"),
    "committee": ("Zhang2020",),
    "expected_error": ("Gelman2006",),
    "selection": ("Holzmuller2023",),
    "verlet": ("Swope1982",),
    "thermostat": ("Bussi2007",),
    "barostat": ("Bernetti2020",),
    "drift": ("Harville1977",),
    "diffusion": ("Bullerjahn2020", "McCluskey2025"),
    "onset": ("Hausman1978",),
    "replicas": ("Birge1932",),
    "finite_size": ("Dunweg1993", "Yeh2004"),
    "zero_frequency": ("Bloomfield1973", "Ercole2017"),
    "order": ("Burnham2002",),
    "band": ("Lepski1991",),
    "onsager": ("Fong2021",),
    "viscosity": ("Daivis1994",),
    "arrhenius": ("Aitken1936",),
    "bounds": ("Tobin1958", "Amemiya1984", "Efron1978"),
    "vtf": ("Kass1995",),
    "predictions": ("Hoeting1999",),
    "kink": ("Andrews1993",),
    "concentrations": ("Schwarz1978",),
    "budget": ("Searle1992",),
    "blocks": ("Marriott1954",),
    "shell": ("Efron1981",),
    "residence": ("Impey1983",),
    "welch": ("Welch1967",),
    "vdos": ("Lin2003",),
    "conductivity_spectrum": ("Hansen2013",),
    "infrared": ("Thomas2013",),
    "structure_factor": ("Ashcroft1967",),
    "dynamic_structure_factor": ("vanHove1954",),
    "quantum_correction": ("Ramirez2004",),
    "spot_frames": ("Sos1958",),
    "spot_ratio": ("Efron1982", "Welch1947"),
}
