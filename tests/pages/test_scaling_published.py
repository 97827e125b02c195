"""Published runs on the scaling page."""

from tests.helpers.page_script import charts, run_page, words


def test_the_reader_makes_the_disagreement():
    """The fit to the minimum is the replication; the mean from the printed law stays at the printed law."""
    app = run_page("scaling", section="published-runs", source="hoffmann", beginning="printed")
    assert not app.exception
    assert list(app.dataframe[0].value.iloc[[0, 3, 4], 1]) == ["1.8172", "0.34732", "0.36716"]
    assert "On these 240 runs the printed law's objective is 4.05 times this fit's" in words(app)
    assert charts(app)
    averaged = run_page("scaling", section="published-runs", source="hoffmann", beginning="printed", weighing="mean")
    assert averaged.dataframe[0].value.iloc[4, 1].startswith("0.285")


def test_the_published_runs_are_data_of_the_page():
    app = run_page("scaling", section="data", source="hoffmann")
    assert not app.exception
    assert "245 runs" in words(app)
