"""The miniature campaign that several files of tests share."""

import shutil
import signal
import subprocess
import time

import pytest
from miniature import PARTS, ROOT, command, snakemake


@pytest.fixture(scope="session")
def campaign(tmp_path_factory):
    """The folder of a finished campaign that was killed while labelling and started again."""
    folder = tmp_path_factory.mktemp("campaign")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    with open(folder / "first.log", "w") as log:
        first = subprocess.Popen(command(), cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    while first.poll() is None and not list(folder.glob("results/label/store/*/*.extxyz")):
        time.sleep(0.1)
    assert first.poll() is None, (folder / "first.log").read_text()
    first.send_signal(signal.SIGKILL)  # its jobs live on, as they do when a login node kills only snakemake
    first.wait()
    assert snakemake(folder, "--unlock").returncode == 0
    second = snakemake(folder)
    assert second.returncode == 0, second.stdout[-20000:]
    return folder
