"""What must not leave the machine: names of folders, of the user and of the host, and secrets of the environment.

Files for an archive are scanned as bytes, so that a path inside a figure or a dataset is found, too.
"""

import getpass
import os
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

SHORTEST = 4  # characters: shorter names of hosts and users are words of any text
SECRET = re.compile(r"(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|APIKEY|API_KEY|CREDENTIALS?)($|_)", re.I)
HOMES = re.compile(rb"(?<![\w.-])/(?:home|Users|root|scratch|gpfs|lustre)/[\w.-]+")
ABSOLUTE = re.compile(rb"(?<=['\" ])(/[\w.+-]+(?:/[\w.+-]+)+)")  # in configs and manifests
LARGE = 2**28  # bytes
OVERLAP = 256  # characters by which pieces of a large file overlap


def of_this_machine(folders: Iterable[Path]) -> dict[str, str]:
    """What to look for: text: what it is. `folders`: the campaign's and the workflow's."""
    found = {str(Path(folder).resolve()): "a folder of this machine" for folder in folders}
    found |= {str(Path(folder).absolute()): "a folder of this machine" for folder in folders}
    found[str(Path.home())] = "the home folder"
    host = socket.gethostname()
    found |= {name: "the name of the host" for name in {host, host.partition(".")[0]} if len(name) >= SHORTEST}
    user = getpass.getuser()
    if len(user) >= SHORTEST and user != "root":
        found[user] = "the name of the user"
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= 8:
            found[value] = f"the environment variable {name}"
    return {text: kind for text, kind in found.items() if text != "/"}


def leaks(path: str | Path, wanted: Mapping[str, str]) -> list[str]:
    """What of `wanted`, and which folders of users, a file holds; a secret's value is not repeated. Of a file that is
    larger than `LARGE`, a trajectory, the head is looked at: what is text lies there.
    """
    words = {word: re.compile(rb"(?<![\w-])%b(?![\w-])" % re.escape(word.encode())) for word in wanted}
    found: list[str] = []
    rest = b""
    if str(path).endswith(".csv") and "host" in Path(path).read_text().partition("\n")[0].split(","):
        found.append("names of hosts: take the column `host` out of it, run Snakemake, then archive again")
    with open(path, "rb") as file:
        while (piece := file.read(2**22)) and file.tell() <= LARGE:
            text = rest + piece
            found += [wanted[word] for word, pattern in words.items() if pattern.search(text)]
            found += [f"the folder {match.decode()}" for match in HOMES.findall(text)]
            if str(path).endswith((".yaml", ".json")):
                found += [f"the folder {match.decode()}" for match in ABSOLUTE.findall(text)]
            rest = text[-OVERLAP:]
    return list(dict.fromkeys(found))


def ordinary(files: Iterable[Path], wanted: Mapping[str, str]) -> dict[str, str]:
    """`wanted` without names that are words of these files, which nobody wrote here: a host may be called "cluster"."""
    text = b"\n".join(Path(path).read_bytes() for path in files)
    found = {word for word in wanted if re.search(rb"(?<![\w-])%b(?![\w-])" % re.escape(word.encode()), text)}
    return {word: kind for word, kind in wanted.items() if word not in found or not kind.startswith("the name of")}


def refuse(files: Mapping[str, Path], wanted: Mapping[str, str], allowed: Iterable[str] = ()) -> None:
    """Raise ValueError, naming files, where some (name in the archive: file) tell of the machine.

    `allowed`: beginnings of what may be told all the same: "the folder /data/public".
    """
    found = {name: leaks(path, wanted) for name, path in sorted(files.items())}
    found = {name: [each for each in told if not each.startswith(tuple(allowed))] for name, told in found.items()}
    listed = "\n".join(f"  {name}: {', '.join(told)}" for name, told in found.items() if told)
    if listed:
        raise ValueError(
            f"{len(listed.splitlines())} files would tell of this machine; nothing was archived:\n{listed}\n"
            "Folders come from the config (potentials, calculators): put what is named there into the campaign's "
            "folder and give its path from there. What may be told all the same: archive.allow, a list of such texts"
        )
