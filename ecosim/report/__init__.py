"""The report of a run: one HTML file that needs no network. `page.write` makes it; the rest says what stands in it.

`source` reads the run, only what is shown; `manufacturing` and `community` list the sections of their side (`talk`,
`network`; `posts`, `followers`); `differences`, `forest` and `paired` compare arms; `costs` and `trouble` say what it
took; `canvas` and `plots` draw, and `parts` are the pieces that the templates know how to lay out.
"""
