"""Ecosystems of small AI models on a bench: a world asks its members questions, minds answer, answers become events.

```python
import ecosim

run = ecosim.run("smart_manufacturing", seeds=20)
run.kpis  # a DataFrame, a row a figure and replica
run.plot("stock_units")  # matplotlib axes, bands over replicas
run.report("report.html")  # one offline file
```

Heavy packages (torch, mesa, pandas, matplotlib) are imported when they are first needed, so `import ecosim` is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecosim.models.load import set_numerics_environment

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Ecosystem",
    "Run",
    "compare",
    "estimate",
    "load",
    "replay",
    "resume",
    "run",
    "verify",
    "watch",
]

if TYPE_CHECKING:
    from ecosim.api import Comparison, Ecosystem, Run, compare, estimate, load, replay, resume, run, verify, watch

set_numerics_environment()  # an environment variable, void once torch has multiplied: so before anybody imports it


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ecosim import api

        return getattr(api, name)
    raise AttributeError(f"module 'ecosim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
