"""Finds phrases that the project does not use, wherever a person reads: see PHRASES.

One term for one thing, and the field's own: "learning rate", not "step length".
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PHRASES = {
    r"step(-| )lengths?": "learning rate",
    r"to the bit": "bit-identical",
    r"the same bits": "bit-identical",
    r"(keeps?|by) (every|a) bit": "bit-identical",
    r"room for": "a buffer for up to n; space for",
    r"in turns( with)?": "alternating, in the other order",
    r"by turns": "alternating",
    r"(the build before|earlier builds?)": "before version x, earlier versions",
    r"learnt": "learned",
    r"what enters the heads": "hidden layer output, activations",
    r"pass(es|ed)? over (the )?zeros": "skip zeros",
    r"what training moves": "trainable",
    r"where left out": "default",
    r"what is kept": "saved, cached",
    r"(genes|encoder|decoder) alone": "genes only",
}
TEXTS = ("*.md", "*.rs", "*.py", "*.pyi", "*.toml", "*.cff", "*.yml", "*.yaml", "*.ipynb", "test")
SKIPPED = ("docs/checks/words.py", "fuzz/", "crates/scvi-python/tests/scvi_tools/")
ANY = r"\b(" + "|".join(PHRASES) + r")\b"
GAP = r"(?:\s+(?:///?!?|#|\*)?\s*)"


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *TEXTS],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    # A phrase may be broken across two lines of a comment.
    pattern = re.compile(ANY.replace(" ", GAP), re.IGNORECASE)
    found = 0
    for name in listed:
        path = ROOT / name
        if name.startswith(SKIPPED) or not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            words = re.sub(r"\s+(///?!?|#|\*)?\s*", " ", match[0])
            say = next(
                (say for p, say in PHRASES.items() if re.fullmatch(p, words, re.IGNORECASE)), "?"
            )
            print(f"{name}:{line}: {words!r}: say {say!r}")
            found += 1
    print(f"{len(listed)} files, {found} phrases to replace")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
