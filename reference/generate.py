"""Writes the fixtures: what scvi-tools computes, for our tests to compare with.

    python3 reference/generate.py            write reference/fixtures
    python3 reference/generate.py --check    compare with what is there, write nothing

Makes an environment with scvi-tools on first use (see environment.py).
"""

import sys
from pathlib import Path

import environment
from configurations import FIXTURES

FOLDER = Path(__file__).resolve().parent / "fixtures"


if __name__ == "__main__":
    environment.enter()
    import fixture_folder
    import torch

    torch.set_num_threads(1)
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    command = "python3 reference/generate.py"
    fixture_folder.write_or_check(FOLDER, FIXTURES, command, check=sys.argv[1:] == ["--check"])
