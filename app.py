"""Transformer Playground: `streamlit run app.py`."""

from ui import shell

shell.navigate()
