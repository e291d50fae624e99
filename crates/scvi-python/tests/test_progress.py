"""Progress bars: on every display, with and without the libraries that draw them."""

from __future__ import annotations

import io
import re
import sys
import types

import pytest
from support import model_of

import scvi_rs
from scvi_rs.model.base._progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Output:
    """What IPython's ``display`` returns."""

    def __init__(self, data: dict) -> None:
        self.shown = [data]

    def update(self, data: dict, raw: bool) -> None:
        assert raw
        self.shown.append(data)


@pytest.fixture(autouse=True)
def without_libraries(monkeypatch):
    """Neither tqdm nor rich nor IPython, wherever the tests run."""
    for name in ("tqdm", "tqdm.auto", "rich", "rich.progress", "rich.console", "IPython"):
        monkeypatch.setitem(sys.modules, name, None)
    yield
    scvi_rs.settings.progress_bar_style = "tqdm"


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    # pytest sets sys.stderr itself before each phase of a test.
    seen = types.SimpleNamespace(stderr=stream, modules=sys.modules)
    monkeypatch.setattr("scvi_rs.model.base._bars.sys", seen)
    monkeypatch.setenv("COLUMNS", "120")
    return stream


@pytest.fixture
def notebook(monkeypatch):
    """The outputs that a notebook's cell shows."""
    outputs = []

    def display(data, raw, display_id):
        assert raw and display_id
        outputs.append(Output(data))
        return outputs[-1]

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return outputs


def test_training_in_a_terminal_ends_at_the_last_epoch(adata, terminal):
    model_of(adata).train(3)
    lines = terminal.getvalue().split("\r")
    assert lines[1].startswith("Epoch 1/3:   0%|") and "| 0/3 [00:00<?, ?it/s]" in lines[1]
    loss = r"train_loss=\d+\.\d+"
    assert re.fullmatch(rf"Epoch 3/3: 100%\|█+\| 3/3 \[\S+<00:00, \S+it/s, {loss}\]\n", lines[-1])


def test_a_line_fits_its_terminal(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    with ProgressBar("d" * 100, " cells") as bar:
        bar(3, 3)
    assert terminal.getvalue() == "\r" + "d" * 39 + "\n"


def test_a_shorter_line_covers_a_longer_one(terminal):
    with ProgressBar("work", "it") as bar:
        bar(1, 1, "long description")
        bar(2, 2, "short")
    long, short = terminal.getvalue().split("\r")[1:]
    assert len(short.rstrip("\n")) == len(long)


def test_training_in_a_notebook_changes_one_output(adata, notebook, capsys):
    model_of(adata).train(2, check_val_every_n_epoch=1)
    assert len(notebook) == 1
    last = notebook[0].shown[-1]
    assert last["text/plain"].startswith("Epoch 2/2: 100%")
    assert '<progress value="2" max="2">' in last["text/html"]
    assert "elbo_validation=" in last["text/html"] and "train_loss=" in last["text/html"]
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_for_each_tenth(capsys, monkeypatch):
    monkeypatch.setattr("scvi_rs.model.base._progress.REDRAWN_EVERY", 0.0)
    with ProgressBar("work", " cells") as bar:
        for done in range(1001):
            bar(done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert [int(line.split("|")[2].split("/")[0]) for line in lines] == list(range(100, 1001, 100))


def test_what_was_told_last_is_drawn(terminal):
    with pytest.raises(KeyboardInterrupt), ProgressBar("work", "it") as bar:
        for done in range(5):
            bar(done, 100)
        raise KeyboardInterrupt
    assert "| 4/100 [" in terminal.getvalue().split("\r")[-1]


def test_tqdm_is_used_where_it_is(adata, monkeypatch, capsys):
    calls = []

    class Tqdm:
        def __init__(self, **kwargs):
            self.n = 0
            calls.append(kwargs)

        def set_description(self, text, refresh):
            calls.append(text)

        def set_postfix_str(self, text, refresh):
            calls.append(text)

        def update(self, n):
            self.n += n

        def refresh(self):
            calls.append(self.n)

        def close(self):
            calls.append("closed")

    module = types.ModuleType("tqdm.auto")
    module.tqdm = Tqdm
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    model_of(adata).train(2)
    assert calls[0] == {"total": 2, "desc": "Epoch 1/2", "unit": "it"}
    assert "Epoch 2/2" in calls and calls[-2:] == [2, "closed"]
    assert capsys.readouterr().err == ""
    # The other style does without it.
    calls.clear()
    scvi_rs.settings.progress_bar_style = "rich"
    model_of(adata).train(1)
    assert calls == [] and "1/1" in capsys.readouterr().err


def test_each_part_of_the_work_ends_at_its_own_number(monkeypatch):
    ends = []

    class Tqdm:
        def __init__(self, total, **_):
            self.n, self.total = 0, total

        def reset(self, total):
            ends.append((self.n, self.total))
            self.n, self.total = 0, total

        def update(self, n):
            self.n += n

        def close(self):
            ends.append((self.n, self.total))

        def set_description(self, text, refresh): ...

        set_postfix_str = set_description

        def refresh(self): ...

    module = types.ModuleType("tqdm.auto")
    module.tqdm = Tqdm
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    with ProgressBar("weighing", " cells") as bar:
        for done, total in [(10, 150), (150, 150), (20, 40), (40, 40)]:
            bar(done, total)
    assert ends == [(150, 150), (40, 40)]


def test_rich_is_used_where_it_is_asked_for(adata, monkeypatch, capsys):
    calls = []

    class Progress:
        def __init__(self, *columns, console):
            calls.append(len(columns))

        def start(self):
            calls.append("started")

        def add_task(self, description, **kwargs):
            calls.append((description, kwargs["total"]))
            return 7

        def update(self, task, **kwargs):
            calls.append((task, kwargs["completed"]))

        def stop(self):
            calls.append("stopped")

    progress = types.ModuleType("rich.progress")
    names = "Text", "Bar", "MofNComplete", "TimeElapsed", "TimeRemaining"
    for name in names:
        setattr(progress, f"{name}Column", lambda *_: None)
    progress.Progress = Progress
    console = types.ModuleType("rich.console")
    console.Console = lambda **_: None
    rich = types.ModuleType("rich")
    rich.progress = progress
    for module in (rich, progress, console):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    scvi_rs.settings.progress_bar_style = "rich"
    model_of(adata).train(1)
    assert calls[:3] == [6, "started", ("Epoch 1/1", 1)]
    assert calls[-2:] == [(7, 1), "stopped"]
    assert capsys.readouterr().err == ""


TASKS = {
    "normalising": (lambda m: m.get_normalized_expression(silent=False), 150, "cells"),
    "normalising ": (
        lambda m: m.get_normalized_expression(
            n_samples_overall=40, weights="importance", n_mc_samples=2, silent=False
        ),
        40,
        "cells",
    ),
    "sampling": (lambda m: m.posterior_predictive_sample(silent=False), 150, "cells"),
    "correlating": (
        lambda m: m.get_feature_correlation_matrix(transform_batch=["x", "y"], silent=False),
        150,
        "cells",
    ),
    "differential expression": (lambda m: m.differential_expression(groupby="label"), 180, "tests"),
    "differential expression ": (
        lambda m: m.differential_expression(groupby="label", mode="change", delta=None),
        180,
        "tests",
    ),
    "differential expression  ": (
        lambda m: m.differential_expression(
            groupby="label", mode="change", change_fn=lambda a, b, _: a - b
        ),
        3,
        "comparisons",
    ),
}


@pytest.mark.parametrize("name", TASKS)
def test_tasks_end_at_the_number_of_what_they_count(adata, terminal, name):
    task, total, unit = TASKS[name]
    model = model_of(adata)
    model.train(1, enable_progress_bar=False)
    task(model)
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith(f"{name.strip()}: 100%|") and f"| {total}/{total} [" in last
    assert f" {unit}/s]" in last


def test_no_bar_where_none_is_asked_for(adata, terminal):
    model_of(adata).train(1, enable_progress_bar=False)
    assert terminal.getvalue() == ""
