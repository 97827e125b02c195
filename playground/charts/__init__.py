"""Charts: plain data in, a plotly Figure out. Only this package imports plotly."""
