"""The training room: recipes with all their faults at once, checkpoints that are whole or not there, curves."""

import errno

import pytest
import torch

from ecosim import catalog
from ecosim.catalog import Entry
from ecosim.errors import CatalogError, TrainingError
from ecosim.training import making, methods, recipes, workbench
from ecosim.training.recipes import Seeds
from ecosim.training.workbench import Checkpoint, Workbench


@pytest.fixture
def bench(tmp_path):
    return Workbench("shop", "nano", Seeds(train=[1, 2]), tmp_path / "made", tmp_path)


def test_a_checkpoint_gives_back_what_was_kept(bench):
    checkpoint = bench.checkpoint(1, key="abc")
    assert checkpoint.load() is None
    checkpoint.save(7, {"w": torch.arange(3.0)}, {"best": 0.5})
    checkpoint.save(8, {"w": torch.arange(4.0)}, {"best": 0.25})
    state = bench.checkpoint(1, key="abc").load()
    assert state is not None
    assert (state.step, state.notes, state.tensors["w"].tolist()) == (8, {"best": 0.25}, [0, 1, 2, 3])


def test_a_checkpoint_of_another_training_is_refused(bench):
    bench.checkpoint(1, key="abc").save(7, {"w": torch.zeros(1)}, {})
    with pytest.raises(TrainingError, match="of another training"):
        bench.checkpoint(1, key="other").load()
    path = bench.checkpoint(1).path
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(TrainingError, match="damaged checkpoint"):
        bench.checkpoint(1, key="abc").load()


def test_on_a_full_disk_the_last_checkpoint_stays(bench, monkeypatch):
    checkpoint = bench.checkpoint(1)
    checkpoint.save(7, {"w": torch.zeros(1)}, {})

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(TrainingError, match="the disk is full; make room"):
        checkpoint.save(8, {"w": torch.zeros(1)}, {})
    monkeypatch.undo()
    state = checkpoint.load()
    assert state is not None and state.step == 7
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["checkpoint.safetensors"]


def test_a_loss_that_is_no_number_stops_the_training(bench):
    bench.loss(1, 10, loss=0.5)
    with pytest.raises(TrainingError, match="step 11: loss is nan; lower the learning rate"):
        bench.loss(1, 11, loss=float("nan"))


def test_a_curve_goes_on_where_it_was_stopped(bench):
    for step in (1, 2, 3):
        bench.loss(1, step, loss=4.0 - step)
    assert bench.finish_curve(1) == bench.seed_folder(1) / "loss.png"
    for step in (3, 4):  # resumed from step 2
        bench.loss(1, step, loss=0.5)
    bench.finish_curve(1)
    assert (bench.seed_folder(1) / "curve.csv").read_text().splitlines() == [
        "step,loss",
        "1.0,3.0",
        "2.0,2.0",
        "3.0,0.5",
        "4.0,0.5",
    ]


class Spec(Entry):
    method: str
    pens: int


class Toy:
    """A method that counts what is asked of it."""

    Spec = Spec

    def __init__(self):
        self.calls = []

    def data(self, spec, bench):
        self.calls.append("data")
        (bench.data / "part").touch()
        if spec.pens < 0:
            raise TrainingError("no pens")

    def train(self, spec, bench, seed):
        self.calls.append(seed)
        bench.loss(seed, 1, loss=1.0)

    def evaluate(self, spec, bench):
        return {"agreement": 0.5}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    toy = Toy()
    monkeypatch.setattr(methods, "method", lambda name: toy)
    monkeypatch.setattr(recipes, "method", lambda name: toy)
    monkeypatch.setattr(recipes, "METHODS", {"toy": ""})
    monkeypatch.setattr(catalog, "root", lambda: tmp_path)
    folder = tmp_path / "agents" / "shop"
    folder.mkdir(parents=True)
    return toy, folder / "recipe.yaml"


def test_a_recipe_makes_data_once_and_trains_each_seed(shop, tmp_path):
    toy, path = shop
    path.write_text("role: shop\nseeds: {train: [1, 2]}\nnano: {method: toy, pens: 3}\n")
    assert recipes.names() == ["shop/nano"]
    (made,) = making.make("shop", tmp_path / "out", with_data=False, with_training=True)
    assert made["figures"] == {"agreement": 0.5} and toy.calls == ["data", 1, 2]
    making.make("shop/nano", tmp_path / "out", [2], with_data=False, with_training=True)
    assert toy.calls[3:] == [2]
    assert (tmp_path / "out/shop/nano/seed-1/loss.png").is_file()


def test_data_that_were_not_finished_are_made_again(shop, tmp_path):
    toy, path = shop
    path.write_text("role: shop\nnano: {method: toy, pens: -1}\n")
    with pytest.raises(TrainingError, match="no pens"):
        making.make("shop", tmp_path / "out", with_data=False, with_training=True)
    path.write_text("role: shop\nnano: {method: toy, pens: 1}\n")
    making.make("shop", tmp_path / "out", with_data=False, with_training=True)
    assert toy.calls == ["data", "data", 1]


def test_all_faults_of_a_recipe_are_told_at_once(shop):
    _, path = shop
    path.write_text("role: bank\nnano: {method: toy, pens: many, colour: red}\n")
    with pytest.raises(CatalogError) as told:
        recipes.read("shop")
    assert "pens" in str(told.value) and "colour" in str(told.value) and len(str(told.value).splitlines()) >= 2
    path.write_text("role: shop\nnano: {method: magic}\n")
    with pytest.raises(CatalogError, match="needs a method: toy"):
        recipes.read("shop")
    with pytest.raises(CatalogError, match="no recipe for 'bank'; known: shop"):
        recipes.read("bank")
    path.write_text("role: shop\nnano: {method: toy, pens: 1}\n")
    with pytest.raises(CatalogError, match="no product 'micro'; it has nano"):
        recipes.split("shop/micro")


def test_every_method_is_there_with_its_three_functions():
    for name in methods.METHODS:
        module = methods.method(name)
        assert issubclass(module.Spec, Entry) and "method" in module.Spec.model_fields
        assert all(callable(getattr(module, f)) for f in ("data", "train", "evaluate"))


def test_every_recipe_of_the_catalogue_can_be_read():
    assert all(recipes.read(role).products for role in recipes.roles())


def test_the_place_of_a_checkpoint_is_below_the_seed(bench):
    assert bench.checkpoint(2).path == bench.folder / "seed-2" / "checkpoint.safetensors"
    assert isinstance(bench.checkpoint(2), Checkpoint)
    assert workbench.default_folder("shop", "nano").parts[-3:] == ("training", "shop", "nano")
