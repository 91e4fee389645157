"""Validation: what others have published, or theory fixes, found again by runs of the engine.

```python
from ecosim import validate

validate.run("manufacturing")  # a DataFrame, a row a figure
```
"""

from __future__ import annotations

from ecosim.validate.table import PARTS, Outcome, cases, outcomes, run

__all__ = ["PARTS", "Outcome", "cases", "outcomes", "run"]
