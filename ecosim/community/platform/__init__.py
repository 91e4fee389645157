"""The platform as a member: it forecasts what will be watched, and sets how much its feed explores."""

from ecosim.community.platform.chapter import CHAPTER

__all__ = ["CHAPTER"]
