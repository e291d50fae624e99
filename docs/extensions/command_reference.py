"""Writes the command reference, docs/commands/, from what ``scvi VERB --help`` prints.

That text comes from the argument parser itself, as manual pages and shell completions do, so that
the three never differ.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SCVI = os.environ.get("SCVI_COMMAND", "scvi")
INTRODUCTION = """\
# Command reference

```sh
scvi --help
scvi train --help
scvi man --output man1               # the same as manual pages
scvi completions bash > scvi.bash    # bash, zsh, fish, powershell, elvish
```

`scvi VERB` does one task. Data go to files or stdout, progress and messages to stderr. Exit codes: \
0 done, 1 the job failed, 2 wrong usage, 130 interrupted by Ctrl-C, 143 by SIGTERM.

"""


@dataclass
class Section:
    """A headed part of a help text: options with their descriptions, or plain lines."""

    title: str
    entries: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def help_of(*verb: str) -> str:
    return subprocess.run(
        [SCVI, *verb, "--help"], check=True, capture_output=True, text=True
    ).stdout


def sections(text: str) -> list[Section]:
    """Splits a help text at its headings; a description may begin on the line of its option."""
    found = [Section("")]
    for line in text.splitlines():
        heading = re.fullmatch(r"(\S[^:]*):", line)
        entry = re.match(r"\s{2,6}(-\S.*?|[<\[]\S.*?|[a-z]+)(?:\s{2,}(\S.*))?$", line)
        if heading:
            found.append(Section(heading[1]))
        elif found[-1].title in ("", "Examples"):
            found[-1].lines.append(line)
        elif entry:
            found[-1].entries.append((entry[1], entry[2] or ""))
        elif line.strip():
            name, description = found[-1].entries[-1]
            found[-1].entries[-1] = (name, f"{description} {line.strip()}".strip())
    return found


def escaped(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]$|])", r"\\\1", text)


def rendered(section: Section) -> str:
    if section.title == "Examples":
        lines = "\n".join(line.removeprefix("  ") for line in section.lines).strip()
        return f"## Examples\n\n```sh\n{lines}\n```\n"
    entries = [
        f"`{name}`\n: {escaped(text) or '(no description)'}\n" for name, text in section.entries
    ]
    return f"## {section.title}\n\n" + "\n".join(entries)


def page(verb: str) -> str:
    head, *rest = sections(help_of(verb))
    summary, usage = head.lines[0], next(line for line in head.lines if line.startswith("Usage:"))
    parts = [rendered(part) for part in rest if part.title != "Global options"]
    return "\n".join(
        [
            f"# scvi {verb}\n",
            f"{escaped(summary)}.\n",
            f"```text\n{usage.removeprefix('Usage: ')}\n```\n",
        ]
        + parts
        + ["[Global options](index.md#global-options) apply as well.\n"]
    )


def write(folder: Path) -> None:
    _, *rest = sections(help_of())
    named = {part.title: part for part in rest}
    verbs = {verb: text for verb, text in named["Commands"].entries if verb != "help"}
    table = ["| command | what it does |", "|---|---|"]
    table += [f"| [`scvi {verb}`]({verb}.md) | {escaped(text)} |" for verb, text in verbs.items()]
    contents = "\n".join(["```{toctree}", ":hidden:", *verbs, "```", ""])
    options = rendered(named["Global options"])
    index = INTRODUCTION + "\n".join(table) + "\n\n" + contents + "\n" + options
    for name, text in {"index": index, **{verb: page(verb) for verb in verbs}}.items():
        path = folder / f"{name}.md"
        # Sphinx reads again only what has changed.
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def setup(app):
    folder = Path(app.srcdir) / "commands"
    folder.mkdir(exist_ok=True)
    write(folder)
    return {"parallel_read_safe": True}
