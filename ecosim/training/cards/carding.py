"""What `ecosim models card` does: examine products, and put the figures where people and the gate look for them."""

from __future__ import annotations

from pathlib import Path

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.training import recipes
from ecosim.training.cards import page as card_page
from ecosim.training.cards import readme as card_readme
from ecosim.training.cards.file import set_scores
from ecosim.training.cards.products import find
from ecosim.training.cards.report_card import Report, Say, examine, read, write
from ecosim.training.workbench import silent

PAGES = Path("results") / "cards"
"""Where pages go if nothing is said."""
SCORES = ("agreement", "families.agreement", "regret_share", "ece", "cost.per_cpu_s")
"""Figures of each question that go into the card."""


def card(which: str, pages: Path | None = None, out: Path | None = None, say: Say = silent) -> dict[str, Path]:
    """Examine the products of a role (`role` or `role/product`); gives each one's page.

    Writes `report.json`, scores in `card.yaml` and the section of `README.md` beside the card, and a page a product.

    Args:
        pages: the folder of the pages; `results/cards` by default.
        out: where products were made, for their other training seeds; the user's cache by default.
        say: takes a line about each part as it begins.

    Raises:
        CatalogError: no recipe, no section `card`, or nothing trained yet.
    """
    role, products = recipes.split(which)
    recipe, folder = recipes.read(role), catalog.card(role).folder
    wanted = [name for name in products if name in recipe.cards] if "/" not in which else list(products)
    if not wanted:
        raise CatalogError(f"{recipe.path}: card: no product of {role} has one; known: {', '.join(recipe.products)}")
    found = {}
    for name in wanted:
        report = examine(find(role, name, out), recipe.cards[name], say, recipe.seeds.world)
        write(folder, report)
        set_scores(folder / "card.yaml", name, scores(report))
        found[name] = page(report, pages)
    card_readme.write(folder / "README.md", read(folder))
    return found


def page(report: Report, pages: Path | None = None) -> Path:
    """Write the page of a report."""
    path = (pages or PAGES) / f"{report['role']}-{report['product']}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card_page.html(report), encoding="utf-8")
    return path


def again(role: str, pages: Path | None = None) -> None:
    """Write pages and the README's section from the reports once more, as after a gate."""
    folder = catalog.card(role).folder
    reports = read(folder)
    for report in reports.values():
        page(report, pages)
    card_readme.write(folder / "README.md", reports)


def scores(report: Report) -> dict[str, float]:
    """The figures of a report that the card shows."""
    found = {
        f"{phase}.{name}": figures[name]
        for phase, figures in report["questions"].items()
        for name in SCORES
        if figures.get(name) is not None
    }
    return {"parameters": float(report["parameters"]), "bytes": float(report["bytes"]), **found}
