"""What the README quotes is measured here: `python -m benchmarks.NAME` writes results/NAME.json.

attention.py   everything side by side in one go;  table.py  the README's table of what was written
forward.py     one forward pass: plain, captured by the lens, and eager with all maps kept
paint.py       the app in Chromium: text to painted picture, click to exact map, rerun, cold start
peer.py        BertViz's own views in the same Chromium
browser.py     Chromium, servers, and what a page is asked;  page.js  the clock inside the page
english.py     English text of an exact number of tokens
speedrun.py    seconds until a model of Shakespeare's characters is as good as nanoGPT's
preset_pictures.py   the pictures on the Train page's cards (assets/presets.json)
training.py    a training step beside its peers;  contenders.py  the peers' shapes and models
load.py        thirty visitors on one hosted server;  load_table.py  the README's table of them
hosted_app.py  the server that they visit;  seat.py  its own protocol;  visitor.py  what a visitor does
audit.py       known holes of the pinned packages (pip-audit)
machine.py     when, where and of what a measurement was made
"""
