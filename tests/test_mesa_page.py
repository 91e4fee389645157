"""The page for Mesa's SolaraViz, rendered without a browser."""

import warnings

import pytest

pytest.importorskip("altair", reason="Mesa's pages need Altair: pip install 'ecosim[viz]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning:solara"),  # of Mesa's own components, about hooks
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def pages():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ecosim import mesa_page
    return mesa_page


def test_a_page_has_sliders_and_steps_when_its_button_is_pressed(pages, monkeypatch):
    import ipyvuetify
    import solara

    stepped, step = [], pages.Shown.step
    monkeypatch.setattr(pages.Shown, "step", lambda self: (step(self), stepped.append(self.steps)))

    @solara.component
    def whole():
        with solara.AppLayout():
            solara.Column(children=[pages.page])

    _, rendered = solara.render(whole(), handle_error=False)
    names = [slider.label for slider in rendered.find(ipyvuetify.Slider).widgets]
    assert names[-4:] == ["world seed", "lead time weeks", "negotiation private spread", "demand sd"]
    (button,) = [b for b in rendered.find(ipyvuetify.Btn).widgets if b.children == ["Step"]]
    button.click()
    button.click()
    assert stepped == [1, 2]
    rendered.close()


def test_what_a_page_draws_are_the_figures_of_the_run(pages):
    import ecosim

    model = pages.Shown("smart_manufacturing", ["deal_price_eur"], seed=2, lead_time_weeks=2)
    model.step()
    model.step()
    run = ecosim.run("smart_manufacturing", seeds=1, steps=2, changes={"world_seed": 2, "lead_time_weeks": 2})
    (ax,) = pages.figure_of(model, "deal_price_eur").axes
    drawn = {line.get_label(): line.get_ydata().tolist() for line in ax.get_lines()}
    prices = run.metrics[run.metrics["metric"] == "deal_price_eur"]
    assert drawn == {group: part["value"].tolist() for group, part in prices.groupby("group")}
    (network,) = pages.figure_of_members(model).axes
    units = run.events("contracts", names=True).groupby("item")["quantity"].sum()
    assert {text.get_text() for text in network.get_legend().get_texts()} == {
        f"{item}: {sold:,.0f} units" for item, sold in units.items()
    }


def test_a_community_shows_who_earned_what(pages):
    few = {"viewers.count": 50, "viewers.at_start": 50}
    model = pages.Shown("creator_community", ["views"], **few)
    model.step()
    (ax,) = pages.figure_of_members(model).axes
    heights = sorted(bar.get_height() for bars in ax.containers for bar in bars)
    assert heights == sorted(model.agents.get("cash_eur"))
