"""Shared by all components.

registration.py   register a component from its folder; read the browser's reports
"""
