"""What we show people works: notebooks, stories, and whatever the README tells them to type."""

import json
import re
import runpy
import shlex
from pathlib import Path

import nbformat
import pytest
from matplotlib import pyplot
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STORIES = sorted((ROOT / "scenarios").glob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")

SHORT = ("--seeds", "2", "--steps", "3")
"""Put after `run` and `compare`: of an option given twice the last one counts. A README's own numbers may be long."""
TALK_LITTLE = ("--set", "negotiation.requests=1", "--set", "negotiation.max_rounds=4")
SHORT_WITH_MODEL = ("--seeds", "2", "--steps", "1", *TALK_LITTLE)
"""The same where a language model answers: some twenty decisions, a few seconds on an idle machine."""
SAYS = {
    "bargaining_table": "Against a Conceder, Cypress gets most as boulware",
    "collaboration": "EUR (+",  # and the planted matrix is found again, see tests/community
    "contract_types": "wholesale 75 %, buyback 100 %, revenue sharing 100 %",  # Cachon (2003)
    "beer_game": "keep_to_target is cheapest ($204)",  # Sterman (1989), Management Science 35(3)
    "demand_forecaster": "changes distributors' bullwhip by -",
    "music_lab": "Influence raises inequality by +",  # Salganik, Dodds and Watts (2006)
    "early_warning": "Firms that heed the news serve +",
    "creator_community": "feed shares attention less equally than chance in",
    "feed_comparison": "Popularity makes attention more unequal in 8 of 8 worlds",
    "human_share": "One human post in ten keeps models more diverse in",
    "model_collapse": "accumulate: topics lost -",
    "delivery_scheduling": "expedite_when_late: a unit costs +",
    "open_market_entry": "concentration of makers (HHI, 0 to 1): -",
    "learning_feed": "Under the collaborative feed histories overlap more than by chance in 6 of 6 worlds",
    "moderation_on_device": "Judging on the device changes harm's share of views by -",
    "revenue_sharing": "The rule shapley shares earnings more equally than pro rata in 8 of 8 worlds",
    "smart_manufacturing": "price of a pump, EUR: +",
    "maintenance_or_not": "condition_based earns a shop",
    "supplier_outage": "With five weeks of parts it loses",
    "tired_viewers": "Where viewers tire, mixing changes what a visit is worth by +",
    "supply_network": "times as much stock as levels for the whole network; no fewer",
    "trend_shock": "With two slots in five by chance the topic has",
    "talking_market": "Distributors pay least as boulware",
    "word_of_mouth": "Hubs carry the largest cascade further than a small world does in 8 of 8",
}
"""What each story comes to."""
NOT_RUN = {
    "models": "fetches from a package index, or trains; tests/models/test_fetch.py and tests/training have the parts",
    "demo": "takes minutes; `make demo` is the command that runs it",
    "bench": "takes minutes; tests/bench has its parts",
    "doctor": "tells of this machine; tests/test_doctor.py",
    "resume": "needs a run that was stopped; tests/test_rerun.py",
    "verify": "needs a run; tests/test_rerun.py",
    "replay": "needs a run; tests/test_rerun.py",
    "why": "needs a run; tests/test_why.py",
    "interview": "needs a run and a model; tests/test_interview.py",
    "estimate": "takes half a minute; tests/test_estimate.py",
    "validate": "takes a minute; tests/validate",
}
"""The commands that are not run here, and why not."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, ...]]:
    """Every `ecosim …` line of the README's shell blocks, as words, without comments."""
    lines = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    words = [tuple(shlex.split(line, comments=True)) for line in lines]
    return [line[1:] for line in words if line[:1] == ("ecosim",)]


def marked(words: tuple[str, ...]) -> object:
    reason = NOT_RUN.get(words[0]) or ("starts Ray; tests/cluster/test_ray.py" if "--hosts" in words else None)
    asks_a_model = "untrained" in " ".join(words)
    marks = [pytest.mark.skip(reason=reason)] if reason else [pytest.mark.model] if asks_a_model else []
    return pytest.param(words, marks=marks, id=" ".join(words))


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


# ---- notebooks ------------------------------------------------------------------------------------------------------


LEAVES = {
    "01_first_steps": ["first_steps.html"],
    "02_market_under_the_lens": [],
    "03_community_under_the_lens": [],
    "04_your_own": ["lemonade.yaml"],
    "05_beer_game_to_open_market": [],
    "06_what_the_feed_does": [],
}
"""The notebooks, and what each writes."""


def test_there_are_six_notebooks():
    assert [path.stem for path in NOTEBOOKS] == list(LEAVES)


def test_an_own_function_meets_twenty_worlds_in_ten_lines_of_notebook():
    cells = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))["cells"]
    (source,) = ["".join(cell["source"]) for cell in cells if "ecosim.compare(" in "".join(cell["source"])]
    assert len([line for line in ["import ecosim", *source.splitlines()] if line.strip()]) <= 10
    assert "seeds=20" in source
    assert "def cautious(question):" in source


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_without_complaint(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # pictures are drawn, as for a reader
    notebook = nbformat.read(path, as_version=4)
    kept = sum(len(cell.get("outputs", [])) for cell in notebook.cells)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) == kept >= 7
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert [made.name for made in tmp_path.iterdir()] == LEAVES[path.stem]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_small_and_in_order_and_tells_nothing_of_its_machine(path):
    text = path.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert len(text) < 500_000
    pictures = re.compile(r'"image/png": "[^"]*"')
    assert not re.search(r"/home/|/root/|/tmp/|/Users/|site-packages", pictures.sub("", text))


# ---- stories --------------------------------------------------------------------------------------------------------


def test_there_are_stories_of_at_most_forty_lines_that_nobody_imports():
    assert [path.stem for path in STORIES] == sorted(SAYS)
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 40 for path in STORIES)
    assert all(path.with_suffix(".yaml").is_file() for path in STORIES)
    assert not (ROOT / "scenarios" / "__init__.py").exists()


@pytest.mark.slow
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_is_told_and_leaves_no_files(path, tmp_path, monkeypatch, capsys):
    """Told in this process, which saves each its start; warnings are errors here too."""
    monkeypatch.chdir(tmp_path)
    before = files(path.parent)
    runpy.run_path(str(path), run_name="__main__")
    pyplot.close("all")
    told = capsys.readouterr()
    assert told.err == ""
    assert SAYS[path.stem] in told.out
    assert files(tmp_path) == set()
    assert files(path.parent) == before


# ---- README ---------------------------------------------------------------------------------------------------------


def test_the_readme_has_commands_and_blocks_to_run():
    runs = [words for words in commands() if words[0] not in NOT_RUN]
    assert len(runs) >= 3
    assert len(blocks("python")) >= 2
    known = {"run", "compare", "check", "report", "explain", "init", "odd", *NOT_RUN}
    assert {words[0] for words in commands()} <= known


@pytest.mark.parametrize("words", [marked(words) for words in commands()])
def test_a_command_of_the_readme_runs(shell, words, tmp_path):
    asks_a_model = "untrained" in " ".join(words)
    short = (SHORT_WITH_MODEL if asks_a_model else SHORT) if words[0] in ("run", "compare") else ()
    code, out, err = shell(*words, *short)
    assert code == 0, err
    if short:
        (report,) = tmp_path.rglob("report.html")
        assert f"report  {report.relative_to(tmp_path)}" in out


@pytest.mark.slow
def test_the_python_of_the_readme_runs_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, block in enumerate(blocks("python"), start=1):
        exec(compile(block, f"README.md, python block {number}", "exec"), names)
    pyplot.close("all")
    assert "ecosim" in names
