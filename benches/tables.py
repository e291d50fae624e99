"""Tables in markdown, and the statistics in them."""

import statistics

PROGRAMS = ("scvi-tools", "scvi")


def select(records, **key):
    """The records that have all of `key`."""
    return [record for record in records if key.items() <= record.items()]


def column(records, field, **key):
    """The values of a field of the records that have all of `key`, None left out."""
    values = [record.get(field) for record in select(records, **key)]
    return [value for value in values if value is not None]


def distinct(records, field):
    """The different values of a field, in the order of their first record."""
    return list(dict.fromkeys(record[field] for record in records))


def spread(values, form, scale=1):
    """Median (smallest to largest), of one value alone that."""
    if not values:
        return ""
    values = [value * scale for value in values]
    median, low, high = (format(f(values), form) for f in (statistics.median, min, max))
    return f"{median} ({low} to {high})" if values[1:] else median


def ratios(records, field, **key):
    """scvi-tools' value of a field over scvi's, round by round."""
    theirs, ours = (
        {r["round"]: r[field] for r in select(records, program=program, **key)}
        for program in PROGRAMS
    )
    return [theirs[i] / ours[i] for i in sorted(theirs.keys() & ours.keys())]


def against(records, field, form, scale=1, **key):
    """Three cells: both programs' spread, and that of the ratio within a round."""
    sides = [spread(column(records, field, program=p, **key), form, scale) for p in PROGRAMS]
    return [*sides, spread(ratios(records, field, **key), ".3g")]


def table(heads, rows):
    """Lines of a table; the first column is text, the others are numbers."""
    yield "| " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * (len(heads) - 1)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def series(label, points):
    """A series of a plot: of every x its measurements, shown as median, smallest and largest."""
    points = [(x, values) for x, values in points if values]
    return {
        "label": label,
        "x": [x for x, _ in points],
        "y": [statistics.median(values) for _, values in points],
        "low": [min(values) for _, values in points],
        "high": [max(values) for _, values in points],
    }


def both(records, field, keys, scale=1):
    """The two programs' series of a field; `keys` gives the records of each label or x."""
    return [
        series(
            program,
            [
                (x, [v * scale for v in column(records, field, program=program, **key)])
                for x, key in keys
            ],
        )
        for program in PROGRAMS
        if column(records, field, program=program)
    ]
