"""A chapter of the community: see `ecosim.chapter`."""

from __future__ import annotations

from ecosim import chapter
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout

Chapter = chapter.Chapter[CommunityScenario, Layout]
