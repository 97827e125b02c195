"""The training page: presets and fields, estimate, the run that is followed, all runs."""
