"""A negotiator by letters, from its recipe to its seats: on a tiny model in a catalogue of its own."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecosim import api, catalog
from ecosim.errors import CatalogError
from ecosim.models import adapter
from ecosim.models.load import LanguageModel
from ecosim.training import making, recipes
from ecosim.training.adapters import labels
from ecosim.training.adapters.examples import read

RECIPE = """
role: negotiator
specialist:
  method: labels
  roles: [supplier, distributor]
  teachers: {{negotiate: boulware}}
  scenes: [{{scenario: smart_manufacturing, steps: 2}}]
  held: [{{scenario: supplier_outage, steps: 2}}]
  limit: 24
  num_held: 8
  adapter: {{base: "path:{base}", rank: 2, batch: 8, check_every: 2}}
"""


@pytest.fixture
def agents(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The catalogue, with a tiny base under its specialists."""
    for name in ("agents", "scenarios"):
        shutil.copytree(catalog.root() / name, tmp_path / name)
    for role in ("supplier", "manufacturer", "distributor"):
        card = tmp_path / "agents" / role / "card.yaml"
        text = card.read_text().replace("model: smollm2-135m-instruct", f'model: "path:{tiny_folder}"')
        card.write_text("\n".join(line for line in text.splitlines() if not line.startswith("    sha256: ")) + "\n")
    (tmp_path / "agents/negotiator/recipe.yaml").write_text(RECIPE.format(base=tiny_folder))
    shutil.rmtree(tmp_path / "agents/negotiator/specialist", ignore_errors=True)
    monkeypatch.setattr(catalog, "root", lambda: tmp_path)
    yield tmp_path / "agents"


def test_one_command_makes_it_from_its_recipe(agents: Path, tmp_path: Path):
    told: list[str] = []
    (made,) = making.make("negotiator", tmp_path / "out", with_data=True, with_training=True, say=told.append)
    folder = Path(made["folder"])
    learnt, seeds, scenarios = (read(folder / f"data/{name}.jsonl") for name in ("train", "seeds", "scenarios"))
    assert (len(learnt), len(seeds), len(scenarios)) == (24, 8, 8)
    assert {t.field for e in learnt for t in e.targets} == {"act", "price", "quantity", "week"}
    assert all(t.is_label for e in learnt for t in e.targets)
    assert adapter.read(folder / "seed-1/specialist").rank == 2
    assert {"seeds_agreement", "scenarios_loss", "seeds_prompt_alone_agreement_act"} <= set(made["figures"])
    assert (folder / "seed-1/curve.csv").is_file() and not (folder / "seed-1/checkpoint.safetensors").exists()


def test_scenes_and_roles_have_equal_shares_of_what_is_learnt():
    spec = recipes.read("negotiator").products["specialist"].model_copy(update={"roles": ["supplier", "distributor"]})
    scene = spec.scenes[0].model_copy(update={"steps": 8, "seeds": 1})
    kept = labels._shared(list(labels.played(spec, [scene])), 60, 1)
    roles = {r: sum(k.question.num_rows for k in kept if k.question.role == r) for r in ("supplier", "distributor")}
    assert roles == {"supplier": 30, "distributor": 30}


def test_it_takes_seats_by_its_grade(agents: Path, tiny: LanguageModel):
    adapter.write_random(agents / "negotiator/specialist", tiny.model, seed=1, rank=2)
    run = api.run(
        "smart_manufacturing",
        seeds=1,
        steps=2,
        minds={f"{r}.negotiate": "specialist" for r in ("supplier", "distributor")},
    )
    (mind,) = [mind for mind in run.manifest["minds"] if mind["grade"] == "specialist"]
    assert mind["name"] == "specialist" and mind["adapter"]["rank"] == 2
    shown = run.answers["prompt"].dropna()
    assert len(shown) and shown.str.contains("A accept, B counter").any() and not shown.str.contains("Examples:").any()


def test_weights_that_are_not_the_cards_are_refused(agents: Path, tiny: LanguageModel):
    adapter.write_random(agents / "negotiator/specialist", tiny.model, seed=1, rank=2)
    wrong = hashlib.sha256(b"other").hexdigest()
    for role, fault in (
        ("supplier", "must share one model and one adapter"),
        ("manufacturer", ""),
        ("distributor", ""),
    ):
        card = agents / role / "card.yaml"
        line = "adapter: ../negotiator/specialist"
        card.write_text(card.read_text().replace(line, f'{line}\n    sha256: "{wrong}"'))
        if fault:
            with pytest.raises(CatalogError, match=fault):
                api.run("smart_manufacturing", seeds=1, steps=1, minds={"distributor.negotiate": "specialist"})
    with pytest.raises(CatalogError, match=r"adapter_model\.safetensors: SHA-256 is .* other weights"):
        api.run("smart_manufacturing", seeds=1, steps=1, minds={"distributor.negotiate": "specialist"})
