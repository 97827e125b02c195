"""What all components share.

js                drawing, decoding, colour, files: the browser's side
payload.py        the bytes that travel to a component
registration.py   register a component from its folder; read what the browser reports
"""
