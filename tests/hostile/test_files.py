"""Scenario files and cards from strangers: each refused in a line a fault, with file and line, and nothing else done.

The files begin with what is said of them: a comment `# refused: ` a fault, each the beginning of a line of the message
after the file's name. What is too large, or no text, is made here.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecosim import catalog, simulate, strict
from ecosim.errors import CatalogError, ScenarioError

HERE = Path(__file__).parent
SCENARIOS, CARDS = sorted((HERE / "scenarios").glob("*.yaml")), sorted((HERE / "cards").glob("*.yaml"))
LONG_S = 5.0
"""Far above what a check takes (0.1 s), so that only what hangs fails on a busy machine."""


def test_the_corpus_is_there():
    assert len(SCENARIOS) >= 100
    assert len(CARDS) >= 25


def expected(file: Path) -> list[str]:
    return re.findall(r"^# refused: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_hostile_scenario_is_refused_in_a_line_a_fault_and_nothing_is_done(shell, tmp_path, file):
    began = time.perf_counter()
    code, out, err = shell("check", file)
    assert time.perf_counter() - began < LONG_S
    told, faults = err.splitlines(), expected(file)
    assert (code, out, len(told)) == (2, "", len(faults))
    for line, fault in zip(told, faults, strict=True):
        assert line.startswith(f"ecosim: {file}{fault}")
        assert line.isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tag_runs_code", "billion_laughs", "seeds_past_memory", "escape_sequence", "octal"])
def test_a_run_of_a_hostile_scenario_leaves_nothing(shell, tmp_path, name):
    code, out, err = shell("run", HERE / "scenarios" / f"{name}.yaml", "--out", "made")
    assert (code, out, list(tmp_path.iterdir())) == (2, "", [])
    assert err.startswith("ecosim: ")


@pytest.mark.parametrize("file", CARDS, ids=lambda file: file.stem)
def test_a_hostile_card_is_refused_in_a_line_a_fault(monkeypatch, tmp_path, file):
    monkeypatch.chdir(tmp_path)
    card = tmp_path / "baker" / "card.yaml"
    card.parent.mkdir()
    card.write_bytes(file.read_bytes())
    with pytest.raises(CatalogError) as caught:
        catalog.read_card(card)
    told, faults = str(caught.value).split("\n"), expected(file)
    assert len(told) == len(faults)
    for line, fault in zip(told, faults, strict=True):
        assert line.startswith(f"{card}{fault}")
        assert line.isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["baker"]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{% include '/etc/passwd' %}", ":3: include is not used in prompts"),
        ("{% extends 'x' %}", ":3: extends is not used in prompts"),
        ("{% macro f() %}{{ f() }}{% endmacro %}", ":3: macro is not used in prompts"),
        ("{% for i in range(100000) %}{% endfor %}", ":3: calls are not used in prompts"),
        ("{{ flour.__class__.mro() }}", ":3: calls are not used in prompts"),
        ("{{ 'x' * 10000000000 }}", ":3: mul is not used in prompts"),
        ("\n{{ 10 ** 10 ** 10 }}", ":4: pow is not used in prompts"),
        ("{{ '%10000000000d' % 1 }}", ":3: mod is not used in prompts"),
        ("{{ 'x' | center(10000000000) }}", ":3: filter 'center' is not used in prompts"),
        ("{{ flour | attr('x') }}", ":3: filter 'attr' is not used in prompts"),
        ("{{ " + "(" * 100_000, ":3: not a Jinja template"),
        ("{{ flour", ":3: not a Jinja template"),
        ("=====", ": needs one line '====='"),
        ("\x1b[2J", ":3: holds the control character '\\x1b'"),
        ("caf\udce9", ":3: not UTF-8 text"),
    ],
    ids=lambda value: value[:30].strip("\n\x1b\udce9"),
)
def test_a_hostile_prompt_is_refused_before_it_is_rendered(tmp_path, template, fault):
    from ecosim.minds.prompts import Prompts

    (tmp_path / "baker").mkdir()
    good = (HERE / "cards" / "wrong_role.yaml").read_text(encoding="utf-8").replace("role: miller", "role: baker")
    (tmp_path / "baker" / "card.yaml").write_text(good, encoding="utf-8")
    prompt = tmp_path / "baker" / "bake.j2"
    prompt.write_text(f"You bake.\n=====\n{template}\n", encoding="utf-8", errors="surrogateescape")
    with pytest.raises(CatalogError) as caught:
        Prompts(catalog.read_card(tmp_path / "baker" / "card.yaml"), "bake")
    assert str(caught.value).startswith(f"{prompt}{fault}")
    assert str(caught.value).isprintable()


MADE = {
    "empty": (b"", ":1: is empty"),
    "too large": (b"#" * (strict.MAX_BYTES + 1), ":1: larger than 1,048,576 bytes"),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(64), ":1: holds the control character '\\x7f'"),
    "not UTF-8": (b"world: manufacturing\ntitle: caf\xe9\n", ":2: not UTF-8 text (byte 0xe9)"),
    "UTF-16": ("world: manufacturing\n".encode("utf-16"), ":1: not UTF-8 text"),
    "a pickle": (b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07", ":1: not UTF-8 text"),
    "zeros": (b"world: manufacturing\n" + bytes(1000), ":2: holds the control character '\\x00'"),
    "bare escape": (b"# \x1b[2J\nworld: manufacturing\n", ":1: holds the control character '\\x1b'"),
    "tabs": (b"\t" * 1000, ":1: a line begins with a tab"),
    "a megabyte of brackets": (b"[" * 2**20, ":1: nested deeper"),
    "a megabyte of dashes": (b"- " * 2**19, ":1: nested deeper"),
    "a megabyte of question marks": (b"? " * 2**19, ":1: nested deeper"),
    "a megabyte of digits": (b"steps: " + b"9" * (2**20 - 100), ":1: steps: a whole number goes up to"),
    "a megabyte of colons": (b"steps: " + b"1:" * (2**19 - 100), ":1: steps: YAML reads this in base 60"),
    "a megabyte of keys": (b"".join(b"k%d: 1\n" % i for i in range(60000)), ":10000: more than 20,000 keys"),
    "a megabyte of documents": (b"---\n" * 2**18, ":2: a second document begins"),
    "9,000 unknown keys": (b"world: community\n" + b"".join(b"k%d: 1\n" % i for i in range(9000)), ": and 8,98"),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_is_no_text_or_too_much_of_it_is_refused_at_once(tmp_path, name):
    content, fault = MADE[name]
    file = tmp_path / "made.yaml"
    file.write_bytes(content)
    began = time.perf_counter()
    with pytest.raises(ScenarioError) as caught:
        simulate.load_scenario(file)
    assert time.perf_counter() - began < LONG_S
    assert any(line.startswith(f"{file}{fault}") for line in caught.value.faults)
    assert len(caught.value.faults) <= 21


@pytest.mark.parametrize("name", ["a\x1b[31m.yaml", "two\nlines.yaml", "n" * 5000 + ".yaml", "nul\0.yaml", "."])
def test_a_hostile_file_name_is_shown_escaped(shell, tmp_path, name):
    code, out, err = shell("check", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("steps=010", "--set steps: YAML reads a number with a leading 0 as octal; leave the 0 out, got '010'"),
        ("steps=!x 3", "--set steps: tags (!x) are not used here"),
        ("title=no", "--set title: YAML would read false"),
        ("minds={supplier: &a scripted}", "--set minds: supplier: anchors (&a) are not used here"),
        ("steps='3'", "--set steps: input should be a valid integer, got '3'; leave out the quotes"),
        ("firms.-1.count=1", "--set firms.-1.count: there is no '-1' to change"),
        ("firms.².count=1", "--set firms.².count: there is no '²' to change"),
        ("firms.0=\x1b", "--set firms.0: holds the control character '\\x1b'"),
        ("models.mine.adapter.deep=1", "--set models.mine.adapter.deep: there is no 'adapter' to change"),
    ],
)
def test_a_change_reads_as_the_file_does(shell, tmp_path, change, fault):
    code, _, err = shell("check", "smart_manufacturing", "--set", change)
    assert (code, err.count("\n")) == (2, 1)
    assert fault in err


def test_numbers_that_people_write_are_read_as_they_mean(tmp_path):
    words = ["3", "-3", "+3", "0", "0.5", ".5", "5.", "1e6", "1.5e3", "-1e-3", "true", "null", "1.2.3", "0x", "3 cats"]
    values = [3, -3, 3, 0, 0.5, 0.5, 5.0, 1_000_000, 1500.0, -0.001, True, None, "1.2.3", "0x", "3 cats"]
    (tmp_path / "words.yaml").write_text(f"words: [{', '.join(words)}]\n")
    read = strict.read(tmp_path / "words.yaml")
    assert (read.data, read.faults) == ({"words": values}, [])
    assert [type(value) for value in read.data["words"]] == [type(value) for value in values]


def test_a_relative_adapter_lies_beside_its_scenario(monkeypatch, tmp_path):
    text = catalog.scenario_path("smart_manufacturing").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        text + "models: {a: {adapter: lora}, b: {base: 'path:base', adapter: /models/lora}}\n", encoding="utf-8"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    models = simulate.load_scenario(tmp_path / "mine.yaml", {"models.b.adapter": "../lora"}).models
    assert (models["a"].adapter, models["b"].base) == (str(tmp_path / "lora"), f"path:{tmp_path / 'base'}")
    assert models["b"].adapter == str(tmp_path / "lora")  # a change starts where it is typed


def test_a_check_loads_nothing_heavy():
    heavy = ["torch", "ray", "mesa", "pandas", "matplotlib", "scipy", "transformers"]
    code = (
        "import sys, json; sys.argv = ['ecosim', 'check', 'smart_manufacturing']\n"
        "from ecosim import cli\ntry: cli.main()\nexcept SystemExit as end: assert not end.code\n"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
