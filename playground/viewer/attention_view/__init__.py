"""The attention view: every head as a thumbnail, one head in full, and its scores. Drawn and pointed at in the browser.

aligned.py      words by which two traces are compared
assets.py       style sheet and bundled modules
heads_page.py   heads of a trace as views of a page
js              the browser's side: view.js and difference_view.js are the components
labels.py       labels, translated
picture.py      what is shown of a trace
payload.py      grids, exact maps and scores as bytes
standalone.py   the view as one HTML file
view_state.py   the selected head and the settings of the drawing, validated
"""
