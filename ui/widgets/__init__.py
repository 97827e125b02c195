"""Reusable groups of widgets; each returns a typed value.

callbacks.py   buttons whose action runs before the script
chart.py       a chart whose files say which model made it
choice.py      one of a few options, kept in the address
context_bar.py the bar of a model page: model, text, head, token
doors.py       links from a result to the page that goes on from it
download.py    the Python that makes the same numbers
findings.py    what a picture shows, in sentences above it
fields.py      a form for the fields of a dataclass
first_steps.py where a newcomer begins: three prepared states
mirror.py      a widget that shows and writes a value of the address
number_columns.py  decimals and grouped digits of a table's columns
model.py       which model, on which device; fetched first where it is not on this machine
retention.py   how long this server keeps a run
share.py       a link, a frame with the picture alone, a QR code
text.py        what the model reads
upload.py      a field for a file, where the server takes files
"""
