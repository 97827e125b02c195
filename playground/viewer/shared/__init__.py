"""Shared by all views and components.

js          the browser's side: mounting, decoding, colours, heatmaps, tokens, downloads
bundle.py   ES modules and style sheets, joined
labels.py   labels that several views show
page.css    the colours of a page without a server
page.py     views on such a page
payload.py  a header and arrays as bytes, for a browser
"""
