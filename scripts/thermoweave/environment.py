"""Keep a job inside its own environment.

Snakemake appends its own process's whole `sys.path` to every `script:` job, so a package that is missing from the
rule's environment could silently come from the environment that Snakemake runs in, with another version or ABI.
"""

import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path

# What our modules import at their top (docs/design.md allows nothing else there). More may be loaded by then:
# Snakemake's preamble unpickles the `snakemake` object with packages of its own environment, as it should be.
CHECKED = ("numpy", "ase")


def isolate() -> None:
    """Remove foreign package folders from `sys.path` and check what has already been imported from them.

    Foreign is every `site-packages` or `dist-packages` folder that does not lie below `sys.prefix` (that of another
    environment, or the user's). Call it first in a script's main block, before anything else is imported.

    Raises ImportError, naming the packages and their folders, if one of them was already imported from such a folder.
    """
    foreign = {
        name: module.__file__
        for name, module in list(sys.modules.items())
        if name in CHECKED and getattr(module, "__file__", None) and _is_foreign(module.__file__)
    }
    if foreign:
        found = "\n".join(f"  {name} from {file}" for name, file in sorted(foreign.items()))
        raise ImportError(
            f"these packages do not come from the job's own environment {sys.prefix}:\n{found}\n"
            "Add them, with a pinned version, to the envs/*.yaml file that the rule names in `conda:`. If they\n"
            "are there and these come from your home folder (~/.local), set PYTHONNOUSERSITE=1."
        )
    sys.path[:] = [folder for folder in sys.path if not _is_foreign(folder)]


def provide_conda(root: Path) -> None:
    """Where there is no conda, let the stand-in below `root` build the environments of envs/ as plain venvs.

    Jobs inherit what is set here; matplotlib's cache goes into the checkout, too, and not into the user's home.
    """
    os.environ.setdefault("MPLCONFIGDIR", f"{root}/.snakemake/matplotlib")
    if shutil.which("conda") is None:
        os.environ["PATH"] += f"{os.pathsep}{root}/tools/venv-conda"


def installed() -> str:
    """Every package of this Python with its version, as pip takes constraints; Python and platform are comments."""
    packages = importlib.metadata.distributions()
    found = {each.metadata["Name"].lower().replace("_", "-"): each.version for each in packages}
    lines = [f"# Python {platform.python_version()}, {platform.system()} {platform.machine()}"]
    return "\n".join([*lines, *(f"{name}=={version}" for name, version in sorted(found.items()))]) + "\n"


def _is_foreign(path: str) -> bool:
    """Whether a file or folder lies in an installed-packages folder outside of this environment."""
    # As written and with links followed: the environment, or a package in it, may be a link to somewhere else.
    written, resolved = Path(path).absolute(), Path(path).resolve()
    prefix = Path(sys.prefix)
    own = written.is_relative_to(prefix.absolute()) or resolved.is_relative_to(prefix.resolve())
    return not own and not {"site-packages", "dist-packages"}.isdisjoint(written.parts)
