"""Scenario files at random: a scenario or printable faults, never anything else, and never slow.

What is tried are the catalogue's own scenarios, with a value replaced, a key lost, doubled or misspelt, a group moved
elsewhere, or noise in their bytes. The profile is fixed, so that CI takes seconds; to look harder:
`ECOSIM_FUZZ=20000 python -m pytest tests/hostile/test_fuzz.py`.
"""
# ruff: noqa: E501 (lists of words)

import os
import random
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecosim import catalog, simulate
from ecosim.errors import ScenarioError

EXAMPLES = int(os.environ.get("ECOSIM_FUZZ", "150"))
SLOW_S = 5.0
"""A hundred times what a file takes, so that a busy machine does not fail the test."""
TEXTS = [path.read_text(encoding="utf-8") for path in sorted((catalog.root() / "scenarios").glob("*.yaml"))]
HOSTILE = [
    "", "~", "no", "yes", "on", "010", "0x10", "1_000", "12:30", "2026-01-31", ".nan", ".inf", "-.inf", "1e400", "1e-400", "1e6",
    "-1", "0", "1", "2", "0.5", "1e12", "1000000000000", "9223372036854775807", "9223372036854775808", "9" * 5000, "1e99999", "'3'", "true",
    "[]", "{}", "[[]]", "[1, 2]", "{a: 1}", "{1: 2}", "{~: 1}", "? [a]", "&a b", "*a", "!x 1", "!!python/name:os.system",
    "'\\e'", '"\\e[31m"', '"\\0"', '"\\ud800"', '"\\u202e"', "'<b>'", "../../x", "path:../x", "hf:../..@x", "http://[", "\t", "- ", "<<: {}",
    "[" * 99, "{a: " * 99, "x" * 5000, "scripted", "untrained", "manufacturing", "community", "[scripted, untrained]", "{supplier: [3, scripted]}",
    "{m: {base: 'path:x'}}", "{m: {url: 'http://[', model: m}}", "{m: 3}", "{m: {adapter: ~}}", "steel", "order", "[arrive]", "é\u0301", "\U0001f600",
]  # fmt: skip
KEYS = [
    "minds",
    "models",
    "substitute",
    "phases",
    "seeds",
    "steps",
    "world",
    "items",
    "firms",
    "viewers",
    "a.b",
    "<<",
    "é",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "fuzzed.yaml"


def spots(data, at=()):
    """All places of values."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield (*at, key)
        yield from spots(value, (*at, key))


def group_of(data, spot):
    for key in spot[:-1]:
        data = data[key]
    return data


def mutate_tree(dice, text):
    """The scenario with a few of its values, keys or groups changed."""
    data = yaml.safe_load(text)
    for _ in range(dice.randint(1, 4)):
        where = list(spots(data))
        if not where:
            break
        spot, other = dice.choice(where), dice.choice(where)
        group, key = group_of(data, spot), spot[-1]
        kind = dice.choice(["value", "value", "number", "lose", "misspell", "splice", "add"])
        if kind == "value":
            group[key] = dice.choice(HOSTILE)
        elif kind == "number":
            group[key] = dice.choice([-1, 0, 1, 2, 7, 0.5, 1e12, 10**12, 2**63, float("nan"), True, None, "3"])
        elif kind == "lose":
            del group[key]
        elif kind == "misspell" and isinstance(group, dict):
            group[str(key)[::-1] or "x"] = group.pop(key)
        elif kind == "splice":
            group[key] = yaml.safe_load(yaml.safe_dump(group_of(data, other)[other[-1]]))
        elif isinstance(group, dict):
            group[dice.choice(KEYS)] = dice.choice(HOSTILE)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode("utf-8", "replace")


def mutate_lines(dice, text):
    """The scenario with a few of its lines lost, doubled, joined, or with a value written over."""
    lines = text.splitlines()
    for _ in range(dice.randint(1, 4)):
        i = dice.randrange(len(lines))
        key, colon, _ = lines[i].partition(":")
        changed = [
            lines[i][1:],
            lines[i] + dice.choice(HOSTILE),
            key + colon + " " + dice.choice(HOSTILE),
            " " + lines[i],
        ]
        lines[i : i + 1] = dice.choice([[], [lines[i]] * 2, [dice.choice(changed)], [lines[i], dice.choice(lines)]])
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "replace")


def mutate_bytes(dice, text):
    """The scenario with a few of its bytes written over, lost or put in."""
    content = bytearray(text.encode())
    for _ in range(dice.randint(1, 6)):
        i = dice.randrange(len(content))
        content[i : i + dice.choice([0, 1, 1, 50])] = bytes(
            dice.choice(b"\x00\x1b\xff[]{}&*!|>'\"%@`:-?,#\n\t 09aZ") for _ in range(dice.randint(0, 3))
        )
    return bytes(content)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="ECOSIM_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**48), st.sampled_from(TEXTS), st.sampled_from([mutate_tree, mutate_lines, mutate_bytes]))
def test_any_file_gives_a_scenario_or_printable_faults(file, luck, text, mutate):
    file.write_bytes(mutate(random.Random(luck), text))
    began = time.perf_counter()
    try:
        simulate.check(simulate.load_scenario(file), [simulate.Arm(name="all")], place=str(file))
    except ScenarioError as error:
        assert error.faults
        for fault in error.faults:
            assert fault.startswith(str(file))
            assert fault.isprintable()
            assert len(fault) < 1200
    assert time.perf_counter() - began < SLOW_S
