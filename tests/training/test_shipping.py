"""What was trained gets into the catalogue whole, with its hash wherever a card names it, and without old honours."""

import hashlib

import pytest

from ecosim import catalog
from ecosim.errors import CatalogError, TrainingError
from ecosim.training.shipping import ship

CARD = """role: {role}
about: Bakes.
licence: Apache-2.0
weights:
  nano:                 # rebuilt by ecosim models distil baker
    model: nano
    adapter: {file}
    sha256: {old}
    licence: Apache-2.0
    training: once
    scores: {{agreement: 0.9}}
default: {{bake: nano, sell: nano}}
questions:
  bake: {{reads: {{flour: ""}}, fields: {{bread: {{ask: "Bread:"}}}}}}
  sell: {{reads: {{flour: ""}}, fields: {{price: {{ask: "Price:"}}}}}}
"""
RECIPE = """role: baker
seeds: {train: [3, 4]}
nano:
  method: play
odd:
  method: play
"""


@pytest.fixture
def bakery(tmp_path, monkeypatch):
    """Two roles whose cards name one file, and what two seeds of a training left."""
    old = "f" * 64
    for role, file in (("baker", "nano.safetensors"), ("miller", "../baker/nano.safetensors")):
        folder = tmp_path / "agents" / role
        folder.mkdir(parents=True)
        (folder / "card.yaml").write_text(CARD.format(role=role, file=file, old=old))
    (tmp_path / "agents/baker/recipe.yaml").write_text(RECIPE)
    for seed in (3, 4):
        made = tmp_path / "out" / "baker" / "nano" / f"seed-{seed}"
        made.mkdir(parents=True)
        (made / "nano.safetensors").write_bytes(b"network %d" % seed)
        (made / "player.safetensors").write_bytes(b"player")
    (tmp_path / "out/baker/nano/figures.json").write_text('{"nano_share": 0.57891, "rounds": 3}')
    monkeypatch.setattr(catalog, "root", lambda: tmp_path)
    return tmp_path


def test_a_seed_ships_to_every_card_that_names_its_file(bakery):
    goal = bakery / "agents/baker/nano.safetensors"
    made = ship("baker/nano", 4, bakery / "out")
    assert [path.name for path in made] == ["nano.safetensors", "player.safetensors"]
    assert goal.read_bytes() == b"network 4"
    for role in ("baker", "miller"):
        card = catalog.card(role)
        weights = card.weights["nano"]
        assert weights.sha256 == made[goal] == hashlib.sha256(b"network 4").hexdigest()
        assert (weights.training, weights.scores) == ("baker/nano, seed 4", {"nano_share": 0.5789})
        assert card.default == {}  # the old weights had passed the gate, these have not
        assert "# rebuilt by" in (card.folder / "card.yaml").read_text()


def test_the_first_seed_of_the_recipe_ships_if_none_is_said(bakery):
    ship("baker/nano", out=bakery / "out")
    assert (bakery / "agents/baker/nano.safetensors").read_bytes() == b"network 3"


@pytest.mark.parametrize(
    ("which", "seed", "fault"),
    [
        ("baker/nano", 7, "seed-7.*not there; train it first: ecosim models train baker/nano --seed 7"),
        ("baker", 3, "say which product: baker/nano, baker/odd"),
        ("baker/odd", 3, "not there; train it first"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_changes(bakery, which, seed, fault):
    before = (bakery / "agents/baker/card.yaml").read_text()
    with pytest.raises((TrainingError, CatalogError), match=fault):
        ship(which, seed, bakery / "out")
    assert (bakery / "agents/baker/card.yaml").read_text() == before
    assert not (bakery / "agents/baker/nano.safetensors").exists()


def test_a_file_that_no_card_names_is_not_shipped(bakery):
    made = bakery / "out/baker/odd/seed-3"
    made.mkdir(parents=True)
    for name in ("odd.safetensors", "player.safetensors"):
        (made / name).write_bytes(b"")
    with pytest.raises(CatalogError, match="no card names it; say so under `weights`"):
        ship("baker/odd", 3, bakery / "out")
