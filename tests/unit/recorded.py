"""A campaign as its jobs leave it: files, and Snakemake's records of who made them, in Snakemake's own format."""

import base64
import hashlib
import json
from pathlib import Path

LABEL = '2\nLattice="5 0 0 0 5 0 0 0 5" label_id={} labeller="pw.x 7.2" level="settings:abc Li:{}" pbc="T T T"\n'


class Recorded:
    """A campaign's folder whose files and records are written job by job."""

    def __init__(self, folder: Path):
        self.folder, self.clock = folder, 1_800_000_000.0

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def job(self, name: str, inputs: list[str], outputs: dict[str, str], params: list[str] | None = None) -> None:
        """Write what a job made, and Snakemake's record of each file of it."""
        self.clock += 10
        sums = {path: hashlib.sha256((self.folder / path).read_bytes()).hexdigest() for path in inputs}
        for k, (path, text) in enumerate(outputs.items()):
            self.write(path, text)
            record = {
                "rule": name.partition("/")[0], "input": inputs, "log": [f"results/logs/{name}.log"],
                "params": params or [], "starttime": self.clock + 0.001 * k, "endtime": self.clock + 5,
                "job_hash": int(self.clock), "input_checksums": {key: f"sha256:{sum}" for key, sum in sums.items()},
            }  # fmt: skip
            self.write_record(path, record)

    def write_record(self, path: str, record: dict) -> None:
        """As Snakemake's FilePersistence does: base64 of the name, in folders @... where it is long."""
        name = base64.urlsafe_b64encode(path.encode()).decode()
        parts = [name[i : i + 254] for i in range(0, len(name), 254)]
        file = self.folder.joinpath(".snakemake/metadata", *(f"@{part}" for part in parts[:-1]), parts[-1])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(record))


def small_campaign(folder: Path) -> Recorded:
    """Two temperatures, one potential, one labelled batch, a pseudopotential; a figure and its table."""
    made = Recorded(folder)
    made.write(PSEUDOPOTENTIAL, "<UPF>")
    pseudo = hashlib.sha256(b"<UPF>").hexdigest()
    made.job("generate_structures/x0.5", [], {"results/generate/x0.5/structures.extxyz": "2\n\n"})
    batch = "results/label/round0/x0.5/batch0"
    made.job(
        "label_structures/x0.5_batch0", ["results/generate/x0.5/structures.extxyz"],
        {f"{batch}.extxyz": LABEL.format("aa", pseudo[:12]) + LABEL.format("bb", pseudo[:12]), f"{batch}.csv": ""},
        ["'config/ladder.toml'", "{'functional': 'PBE', 'ecutwfc': 40}"],
    )  # fmt: skip
    potential = "results/train/final/nequip/seed1/compiled/potential.json"
    weights = hashlib.sha256(b"weights").hexdigest()
    manifest = {
        "backend": "nequip", "version": "0.19.1", "seed": 1, "n_train": 1, "n_valid": 0, "n_test": 1, "start": None,
        "training_set_sha256": "c" * 64, "files": {"../model.pt": weights}, "weights": ["../model.pt"],
    }  # fmt: skip
    made.write("results/train/final/nequip/seed1/model.pt", "weights")
    made.job("train_compile/nequip_seed1", [f"{batch}.extxyz"], {potential: json.dumps(manifest)})
    datasets = []
    runs = "results/simulate/nequip/x0.5/T1000/replica1.run.json"  # one job moved both
    made.job(
        "simulate_md/nequip_x0.5_T1000_replica1",
        [potential],
        {runs: json.dumps({"runs": {"a": "f1000", "b": "f1100"}})},
    )
    for temperature in ("1000", "1100"):
        run = f"results/simulate/nequip/x0.5/T{temperature}/replica1"
        verdict = {
            "run_sha256": f"f{temperature}", "frames": 10, "frames_planned": 10, "steps": 80, "timestep_fs": 2.0,
            "atoms": 16, "engine": "ase", "passed": True, "reason": "",
        }  # fmt: skip
        made.job(
            f"simulate_judge/nequip_x0.5_T{temperature}_replica1", [runs],
            {f"{run}.json": json.dumps(verdict), f"{run}.nc": f"CDF of {temperature}"},
        )  # fmt: skip
        datasets.append(f"results/reduce/nequip/x0.5/T{temperature}/transport.nc")
        made.job(f"reduce_transport/nequip_x0.5_T{temperature}", [f"{run}.nc", f"{run}.json"], {datasets[-1]: "D"})
    grid = "results/reduce/nequip/transport"
    made.job("reduce_grid/nequip_transport", datasets, {f"{grid}.nc": "D", f"{grid}.csv": "concentration\n0.5\n"})
    figure = "results/reduce/nequip/figures/arrhenius"
    rows = "quantity,concentration,temperature,value\nD Li,0.5,1000,1e-9\nD Li,0.5,1100,2e-9\nD Li,0.5,1050,1.5e-9\n"
    made.job("reduce_plot_arrhenius/nequip", [f"{grid}.nc"], {f"{figure}.svg": "<svg/>", f"{figure}.csv": rows})
    return made


PSEUDOPOTENTIAL = "resources/pseudopotentials/Li.upf"
FIGURE = "results/reduce/nequip/figures/arrhenius.csv"
