"""Follows the links of every Markdown file at the root and in docs/ to files of the project.

The site's own links, anchors included, are checked by Sphinx, which warns of each that leads
nowhere; this covers the pages that are read on a code host, too.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
OURS = "https://github.com/scvi-rs/scvi-rs/blob/main/"
MADE = ROOT / "docs" / "commands"  # by extensions/command_reference.py


def heading_anchors(path: Path) -> set[str]:
    """The anchors that a code host gives to a page's headings, and those written before one."""
    text = path.read_text()
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles]
    return {*plain, *re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)}


def dead_links(path: Path) -> list[str]:
    dead = []
    for link in LINK.findall(path.read_text()):
        if link.startswith(OURS):
            target, _, anchor = link.removeprefix(OURS).partition("#")
            target = ROOT / target
        elif re.match(r"[a-z]+:", link):
            continue
        else:
            target, _, anchor = link.partition("#")
            target = (path.parent / target).resolve() if target else path
        if target.parent == MADE and not MADE.exists():
            continue
        if not target.exists():
            dead.append(f"{path.relative_to(ROOT)}: {link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in heading_anchors(target):
            dead.append(f"{path.relative_to(ROOT)}: {link}: no such heading")
    return dead


def main() -> int:
    pages = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob(".github/*.md")])
    dead = [link for page in pages for link in dead_links(page)]
    print(*dead, f"{len(pages)} pages, {len(dead)} dead links", sep="\n")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
