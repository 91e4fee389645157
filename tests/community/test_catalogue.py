"""Niches, topics and titles from films; tastes from ratings. `make test` fetches both data sets first."""

import numpy as np
import pytest

from ecosim import datasets
from ecosim.arms import Arm
from ecosim.community import catalogue, ratings
from ecosim.community.scenario import CommunityScenario
from ecosim.errors import CatalogError, ScenarioError
from ecosim.scenario import build
from ecosim.simulate import prepare

FILMS = {"catalogue": {"niches": 3, "topics": 2}, "tastes": {"kind": "ratings"}, "feed": {"slate": 2}}
CREATORS = [
    {"role": "human_creator", "niche": "Drama", "count": 2},
    {"role": "ai_creator", "niche": "Comedy", "count": 2},
]


@pytest.fixture(autouse=True)
def fetched():
    for name in datasets.DATASETS:
        datasets.fetch(name)


def without_niches(community, **changes):
    data = {key: value for key, value in community().model_dump(exclude_unset=True).items() if key != "niches"}
    return build(CommunityScenario, {**data, "creators": CREATORS, **changes}, place="test")


def test_the_largest_genres_are_niches_and_the_richest_decades_topics():
    """Counts by hand in SQL: 8,925 dramas, 5,568 comedies, 2,666 romances; most films are of the 2000s and 2010s."""
    niches = catalogue.niches(3, 2)
    assert {name: niche.audience for name, niche in niches.items()} == {"Drama": 8925, "Comedy": 5568, "Romance": 2666}
    assert niches["Drama"].topics == ["Drama of the 2000s", "Drama of the 2010s"]


def test_titles_are_those_of_films_on_the_topic():
    films, titles = datasets.films(), catalogue.FilmTitles(("Drama of the 1940s", "no film"))
    dramas = [
        title
        for title, year, genres in zip(films.title, films.year, films.genres, strict=True)
        if year < 1950 and "Drama" in genres
    ]
    assert titles.num.tolist() == [len(dramas), 0]
    assert titles(np.array([0, 0]), np.array([0, len(dramas) - 1])).tolist() == [dramas[0], dramas[-1]]


def test_a_community_of_films_runs_the_same_twice(community, run):
    scenario = without_niches(community, **FILMS)
    assert list(scenario.niches) == ["Drama", "Comedy", "Romance"]
    first, again = run(scenario), run(scenario)
    assert first.manifest["digests"] == again.manifest["digests"] and not first.manifest["faults"]
    posts = prepare_and_step(scenario).tables["posts"]
    by_human = posts["place"] % 4 < 2
    known = set(datasets.films().title)
    assert {title in known for title in posts["title"][by_human & (posts["post"] >= 0)]} == {True}


def prepare_and_step(scenario):
    world, _, _ = prepare(scenario, [Arm(name="a")])
    world.step()
    return world


def test_lifts_are_the_logarithm_of_a_share_over_everybodys():
    """Person 1 of MovieLens rated 272 films, 107 of them dramas; of all 100,000 ratings 39,895 are of dramas."""
    found = datasets.ratings()
    drama = found.is_of[found.film, found.genres.index("Drama")]
    assert (int((found.person == 0).sum()), int(drama[found.person == 0].sum()), int(drama.sum())) == (272, 107, 39_895)
    share, of_all = (107 + 20 * 0.39895) / (272 + 20), 0.39895
    assert ratings.lifts(("Drama",))[0, 0] == round(100 * np.log(share / of_all))


def test_viewers_take_after_the_people_whom_they_stand_for(community):
    """The mean lift of 4,000 viewers is that of the 943 people, within 5 standard errors."""
    viewers = {"count": 2000, "taste_spread": 0.0, "favourite_bonus": 0.0}
    genres = {"sports": "Action", "music": "Musical"}
    scenario = community(viewers=viewers, tastes={"kind": "ratings", "genres": genres})
    table = prepare(scenario, [Arm(name="a")])[0].tables["viewers"]
    lifts = ratings.lifts(("Action", "Musical"))
    assert (table["taste"][:, 0] == table["taste"][:, 1]).all()  # running and rowing are both sports
    for topic, of in ((0, 0), (2, 1)):
        error = lifts[:, of].std() / np.sqrt(4000)
        assert table["taste"][:, topic].mean() == pytest.approx(lifts[:, of].mean(), abs=5 * error)
    share = np.bincount(ratings.favourites(("Action", "Musical")), minlength=2) / 943
    assert np.bincount(table["favourite"], minlength=2) / 4000 == pytest.approx(share, abs=0.04)


def test_a_niche_without_a_genre_is_told(community):
    with pytest.raises(ScenarioError, match=r"'music', for niche 'music', is no genre of MovieLens; known: Action, "):
        community(tastes={"kind": "ratings", "genres": {"sports": "Action"}})
    with pytest.raises(ScenarioError, match=r"tastes\.genres: is for tastes of kind 'ratings'"):
        community(tastes={"genres": {"sports": "Action"}})


def test_a_topic_without_films_is_told(community):
    with pytest.raises(ScenarioError, match=r"no films on topic 'running'; on 'Drama of the 1990s' there are"):
        community(catalogue={})


def test_without_niches_or_a_catalogue_the_way_out_is_told(community):
    with pytest.raises(ScenarioError, match=r"niches: missing; this key is required"):
        without_niches(community)


def test_missing_data_is_one_line_with_the_command(community, tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path))
    with pytest.raises(ScenarioError, match=r"catalogue: .*run: ecosim models fetch films"):
        without_niches(community, **FILMS)
    genres = {"sports": "Action", "music": "Musical"}
    scenario = community(tastes={"kind": "ratings", "genres": genres})
    assert scenario.file_faults() == [
        f"tastes: the data set 'movielens-100k' is not in {tmp_path}; run: ecosim models fetch movielens-100k"
    ]
    ratings.lifts.cache_clear(), datasets.ratings.cache_clear()
    with pytest.raises(CatalogError, match="ecosim models fetch movielens-100k"):
        ratings.lifts(("Action",))
