"""Everything that knows Streamlit.

auto_reruns.py    a press counts once, whatever a fragment's timer sends
cache.py          what the server keeps for all sessions: traces, results, logs of runs
components/       custom components, drawn in the browser
downloads.py      downloads that outlive a page
job.py            one computation in a thread of its own, for everybody who waits for it
jobs.py           work that a page waits for: queue, progress, cancel
left_widgets.py   a session forgets the widgets that left its page long ago
request_log.py    what was asked of a hosted server: JSON lines and counters
sections/         what stands on each page
server_status.py  the operator's status page
shell.py          navigation, and the guard line of every page
state/            the address and the session
static_files.py   plotly.min.js where Streamlit serves files
text.py           the session's language, and what keeps quoted text from being read as markup
warm.py           heavy imports in the background
widgets/          reusable groups of widgets
"""
