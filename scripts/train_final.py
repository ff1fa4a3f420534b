"""Put the potential of the last round where the grid takes it from: nothing behind it depends on which round it was."""

import logging
import shutil
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.potentials import manifest as manifests

log = logging.getLogger(__name__)


def train_final(manifest: Path, errors: Path, predictions: Path, folder: Path) -> None:
    """Copy a potential with its weights (their sha256 checked), errors.json and predictions.npz into `folder`, as they
    are; the manifest last.
    """
    content = manifests.read(manifest)
    folder.mkdir(parents=True, exist_ok=True)
    for path in [*manifests.files(manifest, content), errors, predictions, manifest]:
        partial = folder / f"{path.name}.part"
        shutil.copyfile(path, partial)
        partial.replace(folder / path.name)
    log.info("%s: trained on %d labels", manifest, content["n_train"])


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    train_final(
        *(Path(snakemake.input[name]) for name in ("manifest", "errors", "predictions")),
        Path(snakemake.output.manifest).parent,
    )
