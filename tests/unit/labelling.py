"""What the tests of the label stage share: two ions, settings, and programs that play pw.x.

The outputs below data/ were recorded from pw.x 7.2 with two ions at 15 Ry. As a program, `labelling.py NAME STORE`,
it runs scripts/label_structures.py in the current folder as Snakemake does; tests kill it in the middle.
"""

import builtins
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

from ase import Atoms

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from label_structures import label_structures
from thermoweave import ladder
from thermoweave.attempts import Batch
from thermoweave.frames import read_frames
from thermoweave.label_store import LabelStore
from thermoweave.labellers import Machine, pwscf
from thermoweave.tables import read_csv

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
LADDER = ROOT / "config" / "ladder.toml"
PSEUDOPOTENTIALS = ROOT / "resources" / "pseudopotentials"
SETTINGS = {
    "functional": "LDA",
    "ecutwfc": 15,
    "conv_thr": 1e-7,
    "mixing_beta": 0.7,
    "electron_maxstep": 100,
    "occupations": "fixed",
    "kpoints": [1, 1, 1],
}
LIMITS = {"min_distance": 0.7, "max_net_force": 0.01}
HEADING = 'echo "     Program PWSCF v.7.2 starts"'


def pair(distance: float = 2.47, temperature: str = "T900") -> Atoms:
    atoms = Atoms("LiCl", [[0.1, 0, 0], [0.1 + distance, 0, 0]], cell=[4.2] * 3, pbc=True)
    atoms.info.update(concentration="x0.50", temperature=temperature)
    return atoms


def recorded(name: str) -> str:
    return (DATA / f"pw_{name}.out").read_text()


def prints(name: str) -> str:
    """A scene: pw.x prints a recorded output."""
    return f"cat {DATA}/pw_{name}.out"


def program(path: Path, script: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


class Campaign:
    """A folder in which batches are labelled by a pw.x that plays shell scripts, one a call.

    Calls leave pw.in, the arguments and OMP_NUM_THREADS in the folder `calls`.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.calls = folder / "calls"
        self.calls.mkdir()
        self.store = LabelStore(folder / "store")

    def pw(self, scenes: tuple[str, ...]) -> str:
        for number, scene in enumerate(scenes, start=self.n_calls):
            (self.folder / f"scene{number}").write_text(scene)
        call = f"{self.calls}/$n"
        return program(
            self.folder / "pw.x",
            f'n=$(ls {self.calls} | grep -c pw.in)\ncp pw.in "{call}.pw.in"\necho "$@" > "{call}.arguments"\n'
            f'echo $OMP_NUM_THREADS > "{call}.threads"\n. {self.folder}/scene$n',
        )

    @property
    def n_calls(self) -> int:
        return len(list(self.calls.glob("*.pw.in")))

    def call(self, number: int, what: str = "pw.in") -> str:
        return (self.calls / f"{number}.{what}").read_text()

    def batch(self, *scenes: str, settings=SETTINGS, rungs=(), limits=LIMITS, needs_stress=False, labeller=pwscf,
              ladder_file=LADDER, **machine) -> Batch:  # fmt: skip
        given = {"pw_command": self.pw(scenes), "pseudo_dir": PSEUDOPOTENTIALS, **machine}
        name = labeller.__name__.rpartition(".")[2]
        return Batch(
            labeller, settings, ladder.read(ladder_file, name, labeller.NUMERICS, list(rungs)), limits, needs_stress,
            Machine(**given), self.folder / "scratch", self.folder / "failed",
        )  # fmt: skip

    def label(self, structures: list[Atoms], *scenes: str, name: str = "batch0", **changes) -> tuple[list, list]:
        """The labels and the record of one batch."""
        frames, attempts = self.folder / f"{name}.extxyz", self.folder / f"{name}.csv"
        label_structures(structures, frames, attempts, self.batch(*scenes, **changes), self.store)
        return read_frames(frames), read_csv(attempts)

    def partial_record(self, name: str = "batch0") -> list[dict]:
        """What a job that did not end has written of its record."""
        return read_csv(self.folder / f"{name}.csv.partial")


def outcomes(rows: list[dict]) -> list[tuple[str, str]]:
    return [(row["rung"], row["outcome"]) for row in rows]


def job(name: str, store: str) -> SimpleNamespace:
    """What Snakemake hands to the script: all of structures.extxyz in one batch, pw.x in the current folder."""
    return SimpleNamespace(
        input=SimpleNamespace(structures="structures.extxyz"),
        output=SimpleNamespace(frames=f"{name}.extxyz", attempts=f"{name}.csv"),
        log=[f"{name}.log"],
        threads=1,
        params=SimpleNamespace(
            batch=0, size=100, labeller="pwscf", settings=SETTINGS, limits=LIMITS, needs_stress=False,
            ladder=LADDER, allowed_rungs=[],
        ),
        resources=SimpleNamespace(
            runtime=60, mem_mb=2000, tasks=1, npool=1,
            pw_command=str(Path("pw.x").resolve()), pseudo_dir=str(PSEUDOPOTENTIALS),
            scratch=f"{name}.scratch", label_store=store,
        ),
    )  # fmt: skip


if __name__ == "__main__":
    builtins.snakemake = job(*sys.argv[1:])
    runpy.run_path(str(ROOT / "scripts" / "label_structures.py"), run_name="__main__")
