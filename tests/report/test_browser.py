"""The page in a real browser: no errors, no requests, tables that sort, no sideways scrolling, both colour schemes."""

from __future__ import annotations

import html as markup
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import ecosim

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in the path: install chromium to open the page with it"),
]

WATCH = """<script>window.errors = []; addEventListener("error", (e) => errors.push(e.message));
for (const name of ["error", "warn"]) console[name] = (...words) => errors.push(words.join(" "));</script>"""

ASK = """<script>
addEventListener("load", () => {
  const told = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, view = frame.contentWindow;
    const head = [...page.querySelectorAll("thead th")].find((th) => th.textContent.trim() === "mean");
    const rows = () => [...head.closest("table").tBodies[0].rows].filter((row) => !row.matches(".heading"));
    const sorts = [];
    for (let i = 0; i < 3; i++) {
      head.querySelector("button").click();
      sorts.push([head.getAttribute("aria-sort"), rows().map((row) => row.cells[head.cellIndex].textContent)]);
    }
    const box = page.querySelector(".pick"), select = box.querySelector("select");
    select.value = select.options[1].value;
    select.dispatchEvent(new Event("change"));
    told[frame.style.width] = {
      errors: view.errors, sorts, requests: view.performance.getEntriesByType("resource").length,
      width: page.documentElement.scrollWidth, shown: box.querySelectorAll(":scope > article:not([hidden])").length,
      all: box.querySelectorAll(":scope > article").length, said: box.querySelector("output").textContent,
      focus: [...page.querySelectorAll("thead th")].every((th) => th.firstChild.tagName === "BUTTON"),
    };
  }
  document.body.innerHTML = "<pre id=told></pre>";
  document.querySelector("#told").textContent = JSON.stringify(told);
});
</script>"""


def browse(*options: str) -> str:
    """What headless Chromium says; no address resolves."""
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    arms = {"scripted": {}, "soft": {"distributor.negotiate": "conceder"}}
    run = ecosim.compare("smart_manufacturing", arms, seeds=2, steps=3, with_same=True).run
    return run.report(tmp_path_factory.mktemp("market") / "report.html")


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = {"viewers.count": 200, "viewers.at_start": 150}
    run = ecosim.run("creator_community", seeds=2, steps=3, changes=small)
    return run.report(tmp_path_factory.mktemp("community") / "report.html")


@pytest.fixture(scope="module", params=["market", "community"])
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the page does on a phone and on a desk."""
    report: Path = request.getfixturevalue(request.param)
    watched = markup.escape(report.read_text(encoding="utf-8").replace("<head>", f"<head>{WATCH}", 1))
    frames = "".join(
        f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{watched}"></iframe>'
        for width in (375, 1280)
    )
    asking = report.with_name("asking.html")
    asking.write_text(f"<!doctype html><meta charset=utf-8><body>{frames}{ASK}", encoding="utf-8")
    dom = browse("--window-size=1400,1000", "--virtual-time-budget=20000", "--dump-dom", asking.as_uri())
    found = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert found is not None
    answers: dict[str, Any] = json.loads(markup.unescape(found[1]))
    assert set(answers) == {"375px", "1280px"}
    return answers


def test_the_page_raises_no_error_and_asks_nothing_of_the_network(told: dict[str, Any]):
    assert [(seen["errors"], seen["requests"]) for seen in told.values()] == [([], 0)] * 2


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_makes_the_page_scroll_sideways(told: dict[str, Any], width: int):
    assert told[f"{width}px"]["width"] <= width


def test_a_column_sorts_down_up_and_back(told: dict[str, Any]):
    (down, first), (up, second), (none, third) = told["1280px"]["sorts"]
    numbers = [float(text.replace(",", "").replace("−", "-")) for text in first if text != "–"]
    assert (down, up, none) == ("descending", "ascending", "none")
    assert len(numbers) > 5
    assert numbers == sorted(numbers, reverse=True) != sorted(numbers)
    assert [float(text.replace(",", "").replace("−", "-")) for text in second if text != "–"] == sorted(numbers)
    assert sorted(third) == sorted(first)
    assert third != first
    assert told["1280px"]["focus"]


def test_choosing_hides_what_was_not_chosen(told: dict[str, Any]):
    seen = told["1280px"]
    assert 0 < seen["shown"] < seen["all"]
    assert seen["said"] == f"{seen['shown']} of {seen['all']} shown"


def test_both_colour_schemes_draw_a_page(community: Path):
    from matplotlib.image import imread

    means = []
    for scheme in (1, 0):  # light, dark
        picture = community.with_name(f"{scheme}.png")
        look = f"--blink-settings=preferredColorScheme={scheme}"
        browse("--window-size=1280,2000", look, f"--screenshot={picture}", community.as_uri())
        pixels = imread(picture)[:, :, :3]
        assert pixels.std() > 0.02
        means.append(float(pixels.mean()))
    assert means[0] > 0.8 > 0.3 > means[1]


def test_the_page_prints(market: Path):
    pdf = market.with_name("report.pdf")
    browse(f"--print-to-pdf={pdf}", market.as_uri())
    assert pdf.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) > 3
