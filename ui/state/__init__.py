"""What a session and its address hold: the only folder that spells session keys and query parameters.

Everything a person can set is in the address, so that a link brings the same picture back; what is heavy (models,
traces) lies in bounded caches of the server and is found again by what it was made from.

parameters.py   every query parameter: key, type, default, bounds
address.py      read and write them
context.py      what is taken along from page to page
link.py         what a link carries, and what it cannot
attention.py    an attention view's settings, and what identifies a trace
scaling.py      the scaling page's table, sweep and answers
incoming.py     what a browser sends, held against the widgets that it names
revisions.py    keys of widgets: a new one where something else has set their parameter
session.py      what a session asked, cancelled, wrote and masked
trained.py      the models that were trained here, for the lists of models
training.py     a new run's settings, the run that is shown, its film
uploads.py      files too large for an address, kept for who brought them
visitor.py      who visits a shared server, and which runs are his
"""
