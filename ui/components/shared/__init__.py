"""Shared by all components.

js                the browser's side: mounting, decoding, colours, heatmaps, tokens, downloads
labels.py         labels that several components show
payload.py        a header and arrays as bytes, for a component
registration.py   register a component from its folder; read the browser's reports
"""
