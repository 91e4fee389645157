"""The report of a run: one HTML file that needs no network. `page.write` makes it; the rest says what stands in it.

`source` reads the run; `manufacturing` and `community` list the sections of their side; `plots` and `tables` draw;
`parts` are the pieces that the templates know how to lay out.
"""
