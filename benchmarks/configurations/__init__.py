"""Every text configuration of transformers, small and random, against the model: `python -m benchmarks.configurations`.

shrinking.py      any configuration made small by the names of its fields
special_cases.py  values that must fit one another in single families
building.py       a small random model in a folder, and the reference loaded from it
subject.py        one model, loaded by us and by transformers, and how a comparison ends
comparing.py      maps, stream, parts, lens and writing against eager attention and generate
report.py         the table in docs/configurations.md
"""
