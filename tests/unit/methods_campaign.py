"""Records of a small campaign, written as the stages write them, and the methods text of it."""

import hashlib
import json
from copy import deepcopy
from pathlib import Path

import numpy as np
from audit_methods import Labels, Records, audit_methods
from thermoweave.methods_text_limits import pins
from thermoweave.tables import write_csv

ROOT = Path(__file__).parents[2]
SPECIES, CONDITIONS = ["Li", "Cl"], [("0.20", "900"), ("0.20", "1000"), ("0.20", "1100")]
CONFIG = {
    "concentrations": ["0.20"], "temperatures": ["900", "1000", "1100"], "archive": {"title": "A melt"},
    "system": {
        "charges": {"Li": 1, "Cl": -1}, "composition": {"LiCl": [1, 0.5], "Li": [0, 0.5]},
        "density": {"rule": "table", "coefficients": {}},
    },
    "generate": {
        "temperatures": ["900", "1100"], "strain": 0.03, "superheat": 1.0, "contact_share": 0.0,
        "contact_scale": [0.8, 0.9], "md_ps": 0.5,
    },
    "label": {
        "stress": False, "gate": {"min_distance": 0.7, "max_net_force": 0.01},
        "pwscf": {"functional": "PBE", "ecutwfc": 40, "conv_thr": 2.5e-7, "occupations": "smearing", "smearing":
                  "marzari-vanderbilt", "degauss": 0.01, "kpoints": [2, 2, 1], "system": {"vdw_corr": "grimme-d3",
                                                                                        "nspin": 2}},
    },
    "train": {"backends": {"nequip": {}}, "seeds": ["1"]},
    "explore": {
        "target": 100, "random_share": 0.25, "temperatures": ["900", "1100"], "length_ps": 0.5, "timestep_fs": 1.0,
        "margins": {"hotter_K": 0, "denser": 0},
    },
    "simulate": {
        "protocol": {
            "heating_ps": 0.5, "equilibration_ps": 1.0, "production_ps": 4.0, "frame_interval": 4,
            "equilibration_thermostat_ps": 0.1, "production_thermostat_ps": "nve", "density": "fixed",
        },
        "health": {
            "min_distance": 1.0, "max_force": 50.0, "max_temperature_ratio": 2.0, "max_drift": 0.2,
            "committee": "none", "max_wall_contacts": 0.5, "liquid": False,
        },
    },
    "reduce": {
        "onset_floor_ps": 0.5, "predict": [], "solvation": "none",
        "spectra": {"born_charges": "none", "structure_factor": "none", "quantum_correction": "none"},
    },
}  # fmt: skip
MANIFEST = {
    "backend": "nequip", "version": "0.19.1", "seed": 1, "compiled": None, "start": None, "n_train": 8, "n_valid": 1,
    "n_test": 1, "hyperparameters": {"model": "Allegro", "r_max": 5.0, "num_features": 16, "mlp_width": 32},
    "wall": {"stiffness_eV_per_A2": 30.0, "r_min_A": {}, "unseen": ["Cl-Cl"]},
    "errors": {"all": {"force_rmse_meV_A": 50.0, "force_rmse_std_meV_A": 5.0}},
}  # fmt: skip


DATASETS = ("transport.nc", "structure.nc", "spectra.nc", "arrhenius.nc")


class Campaign:
    """Records of a small campaign: change what its attributes hold, then ask for the text."""

    def __init__(self, folder):
        self.folder, self.config = folder, deepcopy(CONFIG)
        self.attempts = [[self.attempt(k) for k in range(10)]]
        self.manifests = [MANIFEST]
        self.replicas = {}  # changes of verdicts, by number of the run
        self.n_replicas = 1
        self.values = {}  # of transport.nc: name to values of conditions
        self.energies = [energy("D Li"), energy("conductivity")]
        self.curve = np.nan
        self.budget = {"replica": "–", "committee": "–", "label": "–"}
        self.coverage = self.convergence = self.spot_checks = None
        self.pseudopotentials = {}

    @staticmethod
    def attempt(number, outcome="SUCCESS", rung="as asked", temperature="T900"):
        return {
            "label_id": f"id{number}", "concentration": "x0.20", "temperature": temperature, "rung": rung,
            "outcome": outcome, "program": "pw.x 7.2",
        }  # fmt: skip

    def path(self, name, content=None):
        path = self.folder / name
        if content is not None:
            path.write_text(content)
        return path

    def table(self, name, rows):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        write_csv(self.path(name), rows, columns)
        return self.path(name)

    def frames(self):
        lines = [
            f'8\nlabel_id={row["label_id"]} labeller="pw.x 7.2" level="settings:aa Li:0123456789ab"\n'
            for rows in self.attempts for row in rows if row["outcome"] == "SUCCESS"
        ]  # fmt: skip
        return self.path("labels.extxyz", "".join(lines))

    def verdicts(self, digests):
        paths = []
        runs = [(x, t, k) for k in range(self.n_replicas) for x, t in CONDITIONS]
        for number, (x, t, k) in enumerate(runs):
            run = {
                "concentration": x, "temperature": t, "replica": str(k + 1), "engine": "ase", "atoms": 64,
                "cell_A": [13.0] * 3, "timestep_fs": 2.0, "frames_planned": 500, "half_step": False,
                "density_g_cm3": 1.5, "passed": True, "reason": "", "potential_sha256": digests[k % len(digests)],
                **self.replicas.get(number, {}),
            }  # fmt: skip
            paths.append(self.path(f"run{number}.json", json.dumps(run)))
        return paths

    def datasets(self):
        import xarray

        condition, species = ("temperature", "concentration"), ("temperature", "concentration", "species")
        data = {"n_replicas": (condition, np.full((3, 1), self.n_replicas))}
        data |= {name: (species, np.full((3, 1, 2), np.nan)) for name in ("D", "D_upper_bound", "D_corrected")}
        for name in ("conductivity", "conductivity_eh", "conductivity_ne", "viscosity"):
            for kind in ("", "_lower_bound" if name == "viscosity" else "_upper_bound"):
                data[name + kind] = (condition, np.full((3, 1), np.nan))
        data["onsager"] = ((*species, "partner"), np.full((3, 1, 2, 2), np.nan))
        data["viscosity_note"] = (condition, np.full((3, 1), "no label had a stress", object))
        for name, values in self.values.items():
            data[name] = (data[name][0], np.reshape(values, data[name][1].shape))
        xarray.Dataset(data, coords={"species": SPECIES}).to_netcdf(self.path("transport.nc"))
        xarray.Dataset({"Ea_curve": ("concentration_fit", [self.curve])}).to_netcdf(self.path("arrhenius.nc"))
        pair = (*condition, "pair")
        structure = {"rdf": ((*pair, "r"), np.ones((3, 1, 3, 2))), "first_minimum": (pair, np.full((3, 1, 3), np.nan))}
        xarray.Dataset(structure).to_netcdf(self.path("structure.nc"))
        spectra = {"vdos": ((*species, "frequency"), np.ones((3, 1, 2, 4))), "resolution": (condition, np.ones((3, 1)))}
        spectra["conductivity"] = ((*condition, "frequency"), np.full((3, 1, 4), np.nan))
        xarray.Dataset(spectra).to_netcdf(self.path("spectra.nc"))

    def write(self):
        """The five files, by name."""
        self.datasets()
        manifests = [self.path(f"p{k}.json", json.dumps(each)) for k, each in enumerate(self.manifests)]
        verdicts = self.verdicts([hashlib.sha256(path.read_bytes()).hexdigest() for path in manifests])
        lines = {"sampling": "5", "size": "–", "form": "–", **self.budget}
        checks = [self.table("spot.csv", [self.spot_checks])] if self.spot_checks else []
        datasets, energies = map(self.path, DATASETS), self.table("arrhenius.csv", self.energies)
        budget = self.table("budget.csv", [lines])
        records = Records("nequip", manifests, manifests, verdicts, *datasets, energies, budget, checks)
        labels = Labels(
            [self.table(f"summary{k}.csv", rows) for k, rows in enumerate(self.attempts)],
            [self.frames()],
            [self.table("conditions.csv", self.coverage)] if self.coverage else [],
            self.path("convergence.json", json.dumps(self.convergence)) if self.convergence else None,
            self.pseudopotentials,
        )
        out = {name: self.path(f"out.{name}") for name in ("md", "html", "tex", "bib", "json")}
        audit_methods(
            self.config,
            {"thermoweave": "0.1.0", "snakemake": "9.27.1"},
            {name: pins(ROOT / f"envs/{name}.yaml") for name in ("analysis", "nequip")},
            labels, [records], ROOT / "resources/references.bib", out,
        )  # fmt: skip
        return {name: path.read_text() for name, path in out.items()}

    def text(self):
        """Of all paragraphs, without the comment on top."""
        return self.write()["md"].partition("-->")[2]


def energy(quantity, **changes):
    row = {
        "quantity": quantity, "form": "Arrhenius", "temperatures_uncertain": "", "temperatures_upper_bounds": "",
        "ln_odds_vtf": "", "kink_p_value": "", "note": "",
    }  # fmt: skip
    return {**row, **changes}
