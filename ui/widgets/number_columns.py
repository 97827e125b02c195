"""How a table writes its columns of numbers: with as many decimals, or with grouped digits, down the column.

The values stay numbers: they sort as numbers, and a download has all their digits.
"""

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

LARGEST_INTEGER = 2**53 - 1
"""The largest whole number that a browser holds exactly; in Streamlit's tables an error stands for larger ones."""


def decimals(*titles: str, digits: int = 4, signed: bool = False, unit: str = "") -> dict[str, ColumnConfig]:
    """The `column_config` of fixed decimals; `signed` writes a plus before what is above 0."""
    written = f"%{'+' if signed else ''}.{digits}f{unit.replace('%', '%%')}"
    return {title: st.column_config.NumberColumn(format=written) for title in titles}


def counts(*titles: str) -> dict[str, ColumnConfig]:
    """The `column_config` of whole numbers with grouped digits."""
    return {title: st.column_config.NumberColumn(format="localized") for title in titles}


def magnitudes(*titles: str) -> dict[str, ColumnConfig]:
    """The `column_config` of numbers over many orders of magnitude, with three digits, as 3.93e+11."""
    return {title: st.column_config.NumberColumn(format="%.2e") for title in titles}
