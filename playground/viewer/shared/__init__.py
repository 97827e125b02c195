"""Shared by all views and components.

js          the browser's side: mounting, decoding, colours, heatmaps, tokens, downloads
bundle.py   ES modules and style sheets, joined
labels.py   labels that several views show
payload.py  a header and arrays as bytes, for a browser
"""
