"""Numbers of a column have as many decimals."""

from ui.widgets.number_columns import counts, decimals, magnitudes


def test_each_column_is_written_with_its_decimals_sign_and_unit():
    config = decimals("loss", "share", digits=2, signed=True, unit="%")
    assert list(config) == ["loss", "share"]
    assert {column["type_config"]["format"] for column in config.values()} == {"%+.2f%%"}
    assert decimals("loss")["loss"]["type_config"]["format"] == "%.4f"


def test_counts_are_grouped_and_magnitudes_have_three_digits():
    assert counts("tokens")["tokens"]["type_config"]["format"] == "localized"
    assert magnitudes("FLOP")["FLOP"]["type_config"]["format"] == "%.2e"
