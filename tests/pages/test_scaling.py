"""The scaling page as a script: every section and picture from its address, one's own tables good and bad, no data."""

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.sweeps.progress import SweepProgress, write_progress
from tests.helpers.page_script import address, charts, run_page, words
from tests.helpers.planted_points import isoflop_runs, scattered
from tests.helpers.tables import noisy_table, plant_sweep, planted_grid, table_of
from ui.sections.scaling import data, study
from ui.state.scaling import point_of_run
from ui.state.uploads import uploads

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SWEEP = "Zx81-kqV_w7TfA2bGm9cHe"
TABLE = noisy_table()
DAMAGED = ("nonsense", "~broken", "-1")


@pytest.fixture(autouse=True)
def no_runs(tmp_path, monkeypatch):
    """No sweep is shipped and none was run, until a test plants one."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    for module in (data, study):
        monkeypatch.setattr(module, "SHIPPED", tmp_path / "shipped")
    executor.default_executor.cache_clear()
    yield tmp_path
    if executor.default_executor.cache_info().currsize:
        executor.default_executor().close()
    executor.default_executor.cache_clear()


def page(**parameters: str) -> AppTest:
    app = run_page("scaling", **parameters)
    assert not app.exception, [(error.message, error.stack_trace) for error in app.exception]
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_with_no_points_at_all_the_page_says_what_to_do():
    app = page()
    assert "no points yet" in words(app)
    assert not app.error
    assert not app.metric


def test_the_data_set_is_chosen_in_the_page_and_in_the_menu_alike():
    """In the page on telephones, whose menu is closed."""
    app = page(points=TABLE)

    def chosen():
        return [box.value for box in app.selectbox if box.label in ("Data", "Data set")]

    assert chosen() == ["table", "table"]
    next(box for box in app.selectbox if box.label == "Data set").set_value("hoffmann").run()
    assert chosen() == ["hoffmann", "hoffmann"]
    next(box for box in app.selectbox if box.label == "Data").set_value("table").run()
    assert (chosen(), address(app)["source"]) == (["table", "table"], "table")
    assert not app.exception


def test_the_headline_is_the_held_out_error_then_exponents_with_intervals():
    app = page(points=TABLE)
    assert not app.error, words(app)
    said = words(app)
    assert re.search(r"predicts the 8 largest to [\d.]+%. α is 0\.3\d+ \[0\.3\d*, 0\.3\d*\]\. β is", said)
    assert re.search(r"Residuals \([\d.]+% RMS\) show no bend \(runs test, p = [\d.]+\)\.", said)
    assert "Beyond the largest run" in said
    labels = [metric.label for metric in app.metric]
    assert labels[:3] == ["Held-out error", "α", "β"]
    assert float(metrics(app)["α"]) == pytest.approx(0.348, abs=0.03)
    assert " to " in app.metric[1].delta
    assert metrics(app)["Held-out error"].endswith("%")


@pytest.mark.slow
def test_an_e_that_the_points_do_not_identify_is_no_headline():
    app = page(points=TABLE, law="power-n-offset", picture="residuals")
    assert "E" not in metrics(app)
    assert "do not identify E" in words(app)


@pytest.mark.parametrize("over", ["params", "tokens", "flops"])
def test_loss_is_drawn_over_each_size_and_says_what_makes_published_laws_comparable(over):
    app = page(points=TABLE, over=over)
    assert not app.error, words(app)
    assert "Exponents have no unit" in words(app)


def test_an_exponent_that_the_runs_hardly_determine_is_headlined_by_its_interval_and_its_doubt():
    few = table_of(scattered(count=14, noise=0.05))
    app = page(points=few)
    assert "the runs hardly determine it" in words(app)
    assert " to " in metrics(app)["α"]
    assert "hardly determined" in next(metric.delta for metric in app.metric if metric.label == "α")
    intervals = page(points=few, section="diagnostics", picture="intervals").dataframe[0].value.set_index("Parameter")
    assert intervals.loc["α", "Identifiable"] in ("hardly", "no")
    sure = page(points=TABLE, section="diagnostics", picture="intervals").dataframe[0].value.set_index("Parameter")
    assert sure.loc["α", "Identifiable"] == "yes"


@pytest.mark.parametrize(
    ("picture", "section"),
    [("map", "allocation"), ("frontier", "allocation"), ("residuals", "diagnostics"), ("intervals", "diagnostics")],
)
def test_every_other_picture_comes_back_with_its_address_and_an_old_one_opens_its_section(picture, section):
    app = page(points=TABLE, picture=picture)
    assert app.query_params["section"] == section
    assert [chart["label"] for chart in charts(app)] == [
        chart["label"] for chart in charts(page(points=TABLE, section=section, picture=picture))
    ]
    assert charts(page(points=TABLE, section="curves", picture=picture))[0]["label"] == charts(app)[0]["label"]
    assert not app.error, words(app)
    assert len(app.get("download_button")) >= 1
    assert "playground.scaling.fits import fit" in "".join(block.value for block in app.code)


@pytest.mark.slow
def test_runs_of_few_budgets_have_profiles_and_scattered_ones_say_why_not():
    assert "to the power of 0.5" in words(page(points=table_of(isoflop_runs()), picture="valleys"))
    assert "All 9 budgets have their minimum within the data." in words(
        page(points=table_of(isoflop_runs()), picture="valleys")
    )
    assert "needs two budgets" in words(page(points=TABLE, picture="valleys"))
    assert "interpolated between" in words(page(points=table_of(planted_grid()), picture="valleys"))


def test_residuals_have_one_sign_in_the_figure_its_file_and_the_table_of_held_out_runs():
    app = page(points=TABLE, section="diagnostics")
    figure = charts(app)[0]["figure"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "measured − predicted loss (% of predicted)"
    dots = next(trace for trace in figure["data"] if trace["mode"] == "markers")
    for percent, (_name, detail, *_rest) in zip(dots["y"], dots["customdata"], strict=True):
        nats = float(detail.rpartition("<br>")[2].removesuffix(" nats"))
        assert abs(percent) < 0.01 or nats == 0 or (nats > 0) == (percent > 0)
    held_out = app.dataframe[0].value
    for row in held_out.to_dict("records"):
        nats = row["Measured − predicted (nats)"]
        assert nats == pytest.approx(row["Measured"] - row["Predicted"])
        assert row["in % of predicted"] == pytest.approx(100 * nats / row["Predicted"])


def test_one_table_holds_the_exponent_of_every_method():
    app = page(points=TABLE, section="allocation")
    table = app.table[0].value
    assert list(table.columns) == ["Method", "Exponent a", "95% interval", "Assumes"]
    assert list(table["Method"]) == [
        "Fitted law (Chinchilla)",
        "IsoFLOP profiles",
        "Envelope of training curves",
        "Recounted: as in the table, C = 6 N D",
    ]
    assert " to " in table["95% interval"][0]
    assert table["Assumes"][2] == "None: a table has no training curves."
    assert re.search(r"the law's optimum is N = [\d.]+[kMB] \[[\d.]+[kMB], [\d.]+[kMB]\] and D", words(app))
    assert "does not trade N against D" in words(page(points=TABLE, section="allocation", law="power-n"))


def test_bad_rows_are_named_and_skipped():
    table = "params,tokens,loss\n1e6,2e7,3\n2e6,2e7,0\n3e6,many,3\n4e6,2e7,-1\n5e6,2e7,2.9\n"
    app = page(section="data", points=table)
    assert "3 rows were skipped" in words(app)
    assert "2 runs" in words(app)
    skipped = app.dataframe[0].value
    assert list(skipped["Row"]) == [3, 4, 5]
    assert "many" in skipped["Reason"][1]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("a,b\n1,2\n", "lacks params"),
        ("params,tokens,loss\n", "no rows below"),
        ("params,tokens,loss\n1,2,nan\n", "No row can be used"),
        ("params,tokens,loss\n1e6,1e8,3\n2e6,1e8,2.9\n3e6,1e8,2.8\n", "bring at least"),
    ],
)
def test_a_table_that_cannot_be_used_is_answered_with_the_reason(table, sentence):
    app = page(points=table)
    assert sentence in words(app)


def test_numbers_in_wrong_units_are_asked_about():
    table = "params,tokens,loss\n" + "".join(f"{n},{n * 20},{3 - n / 100}\n" for n in (10, 20, 40, 80))
    assert "millions or billions" in words(page(section="data", points=table))


def test_foreign_columns_are_mapped_by_the_address_and_by_hand():
    table = TABLE.replace("params", "weights").replace("loss", "xent")
    app = page(section="data", points=table, columns='{"params": "weights", "loss": "xent"}')
    assert "40 runs" in words(app)
    by_hand = page(section="data", points=table)
    assert "lacks params and loss" in words(by_hand)
    for label, column in (("parameters", "weights"), ("loss", "xent")):
        next(box for box in by_hand.selectbox if box.label == label).select(column).run()
    assert "40 runs" in words(by_hand)
    assert not by_hand.exception


def test_a_pasted_table_goes_into_the_address():
    app = page(section="data")
    app.text_area[0].input(TABLE)
    next(button for button in app.button if button.label == "Use this table").click().run()
    assert not app.exception
    assert "40 runs" in words(app)
    assert app.query_params["points"]


def test_switches_lead_down_the_published_ladder_and_a_mixture_has_no_number():
    assert metrics(page(section="disagree"))["Published exponent a"] == "0.834"
    down = {"rung_head": "yes", "rung_warm-up": "yes"}
    assert metrics(page(section="disagree", **down, rung_tuned="yes"))["Published exponent a"] == "0.497"
    assert metrics(page(section="disagree", **down, rung_decay="yes"))["Published exponent a"] == "0.571"
    both = page(section="disagree", **down, rung_decay="yes", rung_tuned="yes")
    assert "No exponent is published" in words(both)


def test_a_table_is_counted_by_the_formula_and_by_its_own_flops_and_says_why_in_no_other_way():
    app = page(section="disagree", points=TABLE)
    assert "a table does not say" in words(app)
    assert len(app.dataframe[0].value) == 1
    lines = TABLE.splitlines()
    more = [f"{row},{10 * float(row.split(',')[1]) * float(row.split(',')[2])}" for row in lines[1:]]
    counted = page(section="disagree", points="\n".join([f"{lines[0]},flops", *more])).dataframe[0].value
    assert list(counted["What is counted"]) == [
        "as in the table, C = 6 N D",
        "as in the table, C as the table says",
    ]


@pytest.mark.slow
def test_a_sweep_is_drawn_with_its_training_curves_and_counted_in_several_ways(no_runs):
    plant_sweep(no_runs / SWEEP)
    app = page(source=SWEEP, picture="training")
    assert not app.error, words(app)
    assert "has not decayed yet" in words(app)
    links = app.dataframe[0].value["Open"]
    assert links[0].startswith(f"train?run={SWEEP}-w8-l1")
    counted = page(source=SWEEP, section="disagree").dataframe[0].value
    assert len(counted) == 6
    assert any(exponent != "–" for exponent in counted["Exponent a"])
    everything, without = (page(source=SWEEP, count=count, section="data") for count in ("all", "without"))
    sizes = [app.dataframe[0].value["Parameters"][0] for app in (everything, without)]
    assert sizes[0] > sizes[1]


def test_the_runs_of_novels_have_their_bits_per_byte(monkeypatch):
    for module in (data, study):
        monkeypatch.setattr(module, "SHIPPED", ASSETS / "sweeps")
    app = page(section="data")
    table = app.dataframe[0].value
    assert table["Bits per byte"].between(1.79, 2.73).all()
    # A byte has as many nats for each bit; tokens are longer than a byte.
    assert (table["Loss"] / np.log(2) > table["Bits per byte"]).all()
    assert "1.799 to 2.729 bits, comparable across vocabularies" in words(app)


def test_a_table_of_thousands_of_runs_comes_back_in_a_new_session():
    generator = np.random.default_rng(0)
    runs = generator.uniform([1e6, 1e7, 2], [1e9, 1e10, 4], (2_000, 3)).tolist()
    text = "params,tokens,loss\n" + "".join(f"{n!r},{d!r},{loss!r}\n" for n, d, loss in runs)
    app = page(section="data", source="table")
    app.text_area[0].set_value(text)
    app.button[0].click().run()
    assert not app.exception
    assert "2,000 runs" in words(app)
    assert "points" not in app.query_params
    link = address(app)
    again = page(**link)
    assert "2,000 runs" in words(again)
    uploads.cache_clear()
    gone = page(**link)
    assert "Choose it again" in words(gone)


def test_a_sweep_with_nothing_finished_says_so(no_runs):
    plant_sweep(no_runs / SWEEP)
    (no_runs / SWEEP / "points.csv").write_text("run,params\n")
    app = page(source=SWEEP)
    assert not app.error
    assert "no points yet" in words(app)


@pytest.mark.parametrize("budget", [{}, {"budget": "hours", "budget_hours": "48"}, {"budget": "money"}])
def test_a_budget_is_planned_by_every_law(budget):
    app = page(section="plan", points=TABLE, **budget)
    assert not app.error, words(app)
    titles = list(app.dataframe[0].value["Law"])
    assert "Kaplan" in titles
    assert titles[-1].startswith("Your fit")
    assert "[" in app.dataframe[0].value["Parameters N"].iloc[-1]
    assert "Source" in app.table[0].value.columns
    assert "the papers' optima are N = " in words(app)
    assert "Your fit says N = " in words(app)
    assert {"Time", "Energy", "Cost", "Novels", "Over-training", "Epochs"} <= set(metrics(app))


def test_a_budget_far_beyond_ones_own_runs_is_not_planned_by_them_unasked():
    near, far = (page(section="plan", points=TABLE, budget_flops=flops) for flops in ("1e21", "1e30"))
    assert "times the largest run that your fit has seen" not in words(near)
    assert "times the largest run that your fit has seen" in words(far)
    assert [box.value for box in far.selectbox if box.label == "Plan to follow"] == ["besiroglu"]
    asked = page(section="plan", points=TABLE, budget_flops="1e30", plan="own")
    assert [box.value for box in asked.selectbox if box.label == "Plan to follow"] == ["own"]


def test_hoffmanns_budget_is_planned_as_they_printed_it():
    app = page(section="plan", budget_flops="5.76e23")
    rows = app.dataframe[0].value.set_index("Law")
    assert rows.loc["Hoffmann, approach 1", "Parameters N"].startswith("67B")
    assert rows.loc["Hoffmann, approach 2", "Parameters N"].startswith("63B")


def test_money_has_a_currency_that_stands_in_the_address_and_converts_nothing():
    euros, yen = page(section="plan"), page(section="plan", currency="JPY")
    assert metrics(euros)["Cost"].endswith(" EUR")
    assert metrics(yen)["Cost"] == metrics(euros)["Cost"].replace("EUR", "JPY")
    assert "Price per accelerator-hour (JPY)" in [box.label for box in yen.number_input]
    chosen = yen.selectbox(key="choose_currency").select("CHF").run()
    assert chosen.query_params["currency"] == "CHF"
    assert metrics(chosen)["Cost"].endswith(" CHF")


def test_a_price_of_nothing_buys_no_budget():
    assert "any budget is affordable" in words(page(section="plan", budget="money", price="0"))


def test_a_new_sweep_is_estimated_before_it_begins_and_a_lost_one_is_said_to_be():
    app = page(section="live", sweep_sizes="8x1,16x1", sweep_tokens="30000", sweep_seeds="2")
    assert "4 runs from" in words(app)
    assert "no such sweep" in words(page(section="live", sweep=SWEEP))
    assert "at least one size" in words(page(section="live", sweep_sizes="-"))


def test_an_isoflop_sweep_says_which_runs_are_too_short_and_what_it_costs():
    app = page(section="live", sweep_design="isoflop", sweep_sizes="8x1,24x2", sweep_flops="1e10", sweep_price="3600")
    assert not app.exception
    assert "2 runs from 2,672 to 23,424 parameters" in words(app)
    assert "the warm-up of 50 steps, so that their losses say little" in words(app)
    assert "That costs about" in words(app)
    assert app.query_params["sweep_flops"] == "1e10"
    assert "at least one size and one budget" in words(page(section="live", sweep_design="isoflop", sweep_flops="-"))


def test_a_sweep_on_a_persons_text_counts_the_vocabulary_that_the_text_has():
    app = page(section="live", sweep_task="text", sweep_sizes="8x1", sweep_tokens="30000", sweep_seeds="1")
    assert "Paste a text" in words(app)
    area = next(area for area in app.text_area if area.key == "area_sweep_text")
    app = area.set_value("the cat sat on the mat. the dog sat on the log.\n" * 40).run()
    assert not app.exception
    # Characters and the special tokens of a decoder, in an embedding of width 8 that is tied with the head.
    assert "1 run of" in words(app)
    few = area.set_value("cat").run()
    assert few.error


def test_the_price_of_a_running_sweep_is_shown(no_runs):
    plant_sweep(no_runs / SWEEP)
    write_progress(no_runs / SWEEP, SweepProgress(state="stopped", done=4, total=8, worker_seconds=1800.0))
    assert "cost 5.00 EUR" in words(page(section="live", sweep=SWEEP, sweep_price="10"))


def test_a_finished_sweep_shows_its_points_and_how_the_fit_converged(no_runs):
    plant_sweep(no_runs / SWEEP)
    app = page(section="live", sweep=SWEEP)
    assert not app.error, words(app)
    assert len(app.dataframe[-1].value) == 16


def test_a_link_to_a_table_means_the_table_and_the_source_stays_in_the_address(no_runs):
    plant_sweep(no_runs / SWEEP)
    assert page(points=TABLE).query_params["source"] == "table"
    assert page().query_params["source"] == SWEEP


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_address_falls_back_to_what_is_shown_without_it(damaged):
    names = (
        "section",
        "source",
        "law",
        "picture",
        "over",
        "count",
        "published",
        "cone",
        "columns",
        "drawings",
        "budget",
    )
    app = page(points=TABLE, **dict.fromkeys(names, damaged))
    assert not app.error, words(app)
    boxes = {box.label: box.value for box in app.selectbox}
    assert (boxes["Data"], boxes["Law"], boxes["Bootstrap resamples"]) == ("table", "chinchilla", "200")
    assert metrics(app) == metrics(page(points=TABLE))
    assert [chart["label"] for chart in charts(app)] == ["Loss over parameters N"]
    numbers = ("budget_flops", "accelerators", "utilisation", "served", "unique", "plan", "planned")
    app = page(section="plan", **dict.fromkeys(numbers, damaged))
    assert not app.error, words(app)
    assert metrics(app) == metrics(page(section="plan"))
    assert metrics(app)["Compute (FLOP)"] == "1e+21"
    assert [box.value for box in app.selectbox if box.label == "Plan to follow"] == ["besiroglu"]


def test_an_old_address_shows_what_it_showed():
    """Keys and values that stand in links from before their names were changed on the page."""
    grid = table_of(planted_grid())
    app = page(points=grid, picture="valleys", drawings="200", hold="no", cone="no")
    assert [chart["label"] for chart in charts(app)] == ["Loss over the size of the model, for each budget"]
    surface = page(points=TABLE, picture="map")
    assert "compute-optimal frontier" in charts(surface)[0]["label"]
    extrapolated, within = (page(points=TABLE, cone=cone) for cone in ("yes", "no"))
    assert [toggle.value for toggle in extrapolated.toggle] == [True]
    assert [toggle.value for toggle in within.toggle] == [False]


def test_the_run_that_the_address_names_is_ringed_and_has_a_door(no_runs):
    plant_sweep(no_runs / SWEEP)
    assert point_of_run(f"{SWEEP}-w8-l1-t512-s0") == {"source": SWEEP, "point": "w8-l1-t512-s0"}
    assert point_of_run("Abcdefghijkmnop") is None
    plain = page(source=SWEEP)
    name = plain.dataframe[0].value["Run"][0]
    app = page(source=SWEEP, point=name)
    rings = [trace for trace in charts(app)[0]["figure"]["data"] if trace.get("name") == name]
    assert len(rings) == 1
    assert [text.value for text in app.text] == [
        next(text.value for text in app.text if f"Marked: {name}, loss" in text.value)
    ]
    app.button(key="no_mark").click().run()
    assert "point" not in app.query_params
    assert not app.text


@pytest.mark.parametrize(("tokens", "title"), [(1e7, "Compute (FLOP)"), (1e11, "Compute (PFLOP)")])
def test_no_compute_is_larger_than_a_table_can_write(tokens, title):
    """Above 2^53 Streamlit writes raw digits with a warning: every run of the papers."""
    runs = [(params, tokens * longer) for params in (1e6, 4e6, 1.6e7) for longer in (1, 3, 9)]
    rows = [f"{params:g},{tokens:g},{3 + 400 / params**0.4:.4f}" for params, tokens in runs]
    table = page(points="\n".join(["params,tokens,loss", *rows]), section="data").dataframe[0].value
    assert table[title].max() < 2**53
    unit = 1e15 if "PFLOP" in title else 1
    assert np.allclose(table[title] * unit, 6 * table["Parameters"] * table["Tokens"])
