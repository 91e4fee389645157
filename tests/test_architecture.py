"""The house: imports point down, heavy packages stay in their rooms, world code uses exact arithmetic only."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import ecosim

HOUSE = Path(ecosim.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))

WORDS, RULES, SIDES, ASSEMBLY, FACES = range(5)
FLOOR = {
    "words": WORDS, "fields": WORDS, "seeds": WORDS, "exact": WORDS, "errors": WORDS,
    "whole": WORDS, "fingerprint": WORDS,
    "rules": RULES, "world": RULES, "catalog": RULES, "scenario": RULES, "side": RULES, "strict": RULES,
    "scalars": RULES, "document": RULES, "faults": RULES,
    "levers": RULES, "interventions": RULES, "schedule": RULES,
    "meanings": RULES, "chapter": RULES, "adder": RULES,
    "wheels": RULES, "datasets": RULES,
    "manufacturing": SIDES, "community": SIDES, "minds": SIDES, "pool": SIDES, "models": SIDES, "record": SIDES,
    "cluster": SIDES,
    "arms": ASSEMBLY, "reading": ASSEMBLY,
    "opening": ASSEMBLY, "simulate": ASSEMBLY, "manifest": ASSEMBLY, "rerun": ASSEMBLY, "contrast": ASSEMBLY,
    "moment": ASSEMBLY,
    "command": FACES, "cli": FACES, "api": FACES, "explore": FACES, "report": FACES, "testing": FACES, "bench": FACES,
    "demo": FACES,
    "doctor": FACES, "docstrings": FACES, "keys": FACES, "explain": FACES, "schema": FACES, "starter": FACES,
    "odd": FACES, "estimation": FACES, "validate": FACES,
    "why": FACES, "variants": FACES, "response": FACES, "interview": FACES,
    "plots": FACES, "card": FACES, "ecosystem": FACES, "live": FACES, "panel": FACES,
    "sensitivity": FACES, "spreadsheet": FACES, "mesa_page": FACES, "training": FACES,
}  # fmt: skip
BESIDE = {
    "manufacturing": set(), "community": set(), "models": set(), "record": set(),
    "pool": {"models"}, "minds": {"pool", "models"}, "cluster": {"minds", "pool", "models"},
}  # fmt: skip
"""What a room may import on its own floor; the two ecosystems know nothing of each other, nor of minds and models."""
HEAVY = {
    "torch": {"models", "pool", "minds", "bench", "training"},
    "transformers": {"models", "pool", "bench", "training"},
    "peft": {"training"},
    "sklearn": {"training"},
    "mesa": {"world", "mesa_page"},
    "ray": {"cluster"},
    "ipywidgets": set(),
    "solara": set(),
    "SALib": set(),
}


def room(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if node.module == "ecosim" else {node.module}
    return found


def test_imports_point_down():
    assert len(FILES) >= 50
    seen = 0
    for path in FILES:
        here = room(path)
        if here == "__init__":
            continue
        for name in imports(path):
            there = name.split(".")[1] if name.startswith("ecosim.") else None
            if there is None or there == here or there.startswith("__"):
                continue
            seen += 1
            below = FLOOR[there] < FLOOR[here] or (FLOOR[there] == FLOOR[here] and FLOOR[here] != SIDES)
            assert below or there in BESIDE.get(here, set()), f"{path.relative_to(HOUSE)} imports {name}: upwards"
    assert seen > 100


def test_heavy_packages_stay_in_their_rooms():
    for path in FILES:
        for name in {name.split(".")[0] for name in imports(path)} & set(HEAVY):
            assert room(path) in HEAVY[name], f"{path.relative_to(HOUSE)} imports {name}"


INEXACT = re.compile(r"\bnp\.(exp|exp2|log|log2|log10|log1p|expm1|power|sin|cos|tan|tanh|float_power|random|einsum)\b")


def test_world_code_has_no_function_whose_last_bit_depends_on_the_processor():
    rooms = ("rules", "manufacturing", "community", "exact", "seeds", "world")
    files = [path for path in FILES if room(path) in rooms and path.name != "figures.py"]
    assert len(files) >= 25
    for path in files:
        assert not INEXACT.search(path.read_text()), f"{path.relative_to(HOUSE)}: use ecosim.exact or ecosim.seeds"


def test_importing_ecosim_loads_nothing_heavy():
    code = (
        "import ecosim, sys; print([m for m in ('torch', 'ray', 'mesa', 'pandas', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
