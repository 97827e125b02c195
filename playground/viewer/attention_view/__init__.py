"""The attention view: every head as a thumbnail, one head in full, and its scores. Drawn and pointed at in the browser.

assets.py       style sheet and bundled modules
js              the browser's side: view.js and difference_view.js are the components
labels.py       labels, translated
payload.py      grids, exact maps and scores as bytes
standalone.py   the view as one HTML file
view_state.py   the selected head and the settings of the drawing, validated
"""
