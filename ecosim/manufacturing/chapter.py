"""A chapter of the market: see `ecosim.chapter`."""

from __future__ import annotations

from ecosim import chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout

Chapter = chapter.Chapter[ManufacturingScenario, Layout]
