"""The parts of each page: one package per page."""
