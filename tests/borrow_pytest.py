"""Run the workflow environment's pytest with the Python of another one: borrow_pytest.py SITE_PACKAGES ARGUMENTS...

Nothing but pytest comes from that folder, so the tests see the environment as jobs do, without pytest among its
packages: Snakemake runs again what an edited environment file made, and a new pytest is no reason to train again.
"""

import sys

folder = sys.argv.pop(1)
sys.path.append(folder)
import pytest  # noqa: E402  with what it needs itself: all of it is pure Python

sys.path.remove(folder)
# The header asks for the versions of installed packages, which these are not any more.
sys.exit(pytest.main(["--no-header", *sys.argv[1:]]))
