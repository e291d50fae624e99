"""Results of the suite in files: for each section, its parts' measurements and how they were made."""

import json
import sys


class Log:
    """The measurements of one part, in the file of its section from the first one on."""

    def __init__(self, folder, section, part, about, options, *, resume):
        self.folder, self.section, self.part = folder, section, part
        found = stored(folder, section).get(part)
        self.records = found["records"] if resume and found else []
        self.about, self.options = about, options

    def once(self, key, function, *arguments):
        """The record of `key`: `key` with what the function says, unless it is there already."""
        for record in self.records:
            if key.items() <= record.items():
                return record
        record = key | function(*arguments)
        print(f"{self.section}.{self.part}: {brief(record)}", file=sys.stderr, flush=True)
        self.records.append(record)
        self._store()
        return record

    def _store(self):
        parts = stored(self.folder, self.section)
        parts[self.part] = {
            "about": self.about,
            "options": self.options,
            "records": self.records,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.section}.json"
        beside = path.with_suffix(".new")
        beside.write_text(text(parts))
        beside.replace(path)


def stored(folder, section):
    """What the file of a section holds: parts by name."""
    path = folder / f"{section}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def text(parts):
    """JSON with a line for each measurement."""
    blocks = []
    for name, part in parts.items():
        about, records = (
            "[\n      " + ",\n      ".join(map(json.dumps, part[field])) + "\n    ]"
            for field in ("about", "records")
        )
        blocks.append(
            f'  {json.dumps(name)}: {{\n    "about": {about},\n'
            f'    "options": {json.dumps(part["options"])},\n    "records": {records}\n  }}'
        )
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def brief(record):
    """A record on one line: lists are left out, numbers rounded."""
    shown = {key: value for key, value in record.items() if not isinstance(value, (list, dict))}
    return ", ".join(
        f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in shown.items()
    )
