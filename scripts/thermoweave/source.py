"""Source files compared by what they do: comments, docstrings and layout do not count.

Snakemake by itself runs a job again when its script is newer than its output, so that a comment, or a checkout of the
same commit, would train potentials and run trajectories again; and it does not follow what a script imports. An
environment's place counts there, so that a checkout that was moved would compute everything again.
"""

import ast
import functools
import hashlib
import json
from pathlib import Path

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def digest(path: str) -> str:
    """Twelve characters of a Python file's sha256 without comments, docstrings and layout; read once a process.

    Raises SyntaxError where the file is no Python.
    """
    tree = ast.parse(Path(path).read_text(), filename=path)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:12]


@functools.cache
def environment(path: str) -> str:
    """Twelve characters of the sha256 of what an environment file asks for; comments and layout do not count."""
    import yaml

    content = yaml.safe_load(Path(path).read_text())
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def digests(folder: str, names: tuple[str, ...]) -> str:
    """`NAME DIGEST` of each file NAME.py of a folder, in one text: two of them show which file differs."""
    return " ".join(f"{name} {digest(f'{folder}/{name}.py')}" for name in names)
