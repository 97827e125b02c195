"""Tables of checkpoints: what is read, what is left out by name, and what is refused."""

import pytest

from playground.errors import UserError
from playground.scaling.downstream import fit_downstream
from playground.scaling.task_table import read_task_points


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("loss,right\n1,0.5\n", "bring at least 5"),
        ("loss\n1\n", "no column 'right'"),
        ("", "The file is empty"),
        ("loss,right,right\n1,0.5,0.4\n", "names 'right' more than once"),
        ("loss,right\n1,many\n", "Row 2: right is 'many', not a number. Correct or remove it"),
        ("loss,right\n1,0.5\n2\n3,1.5\n", "Row 3: the row has only 1 cells; row 4: the share right is 1.5"),
        ("loss,right\nnan,0.5\n", "Row 2: loss is 'nan'"),
        ("loss,right\n1,40%\n", "a percentage"),
        ("loss,right\n,0.5\n1,\n", "From 0 checkpoints"),
        ('run,loss,right\n"a,1,0.5\nb,2,0.4\nc,3,0.2\n', "never closes"),
    ],
)
def test_what_is_no_table_is_refused(text, sentence):
    with pytest.raises(UserError, match=sentence):
        fit_downstream(read_task_points(text, loss="loss", right="right").points)


def test_rows_that_were_not_evaluated_are_left_out_by_name():
    table = read_task_points("# made here\nloss,right\n3,0.25\n2.5,\n,0.5\n2,0.5\n", loss="loss", right="right")
    assert table.points.loss.tolist() == [3, 2]
    assert table.warnings == ("Left out: Row 4: right is empty; row 5: loss is empty.",)
    assert read_task_points("loss,right\n3,0.25\n", loss="loss", right="right").warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "run;parameters;loss;right\na;7.824;3,5;0,25\nb;1.000.000;1,478;0,5\n",
        "sep=;\nrun;parameters;loss;right\na;7824;3,5;0,25\nb;1000000;1,478;0,5\n",
        'run,parameters,loss,right\na,7824,"3,5","0,25"\nb,1000000,"1,478","0,5"\n',
        "run\tparameters\tloss\tright\ra\t7,824\t3.5\t0.25\rb\t1M\t1.478\t1/2\r",
        "| run | parameters | loss | right |\n|---|---|---|---|\n"
        "| a | 7824 | 3.5 | 0.25 |\n| b | 1e6 | 1.478 | 0.5 |\n",
    ],
)
def test_checkpoints_are_read_as_runs_are(text):
    points = read_task_points(text, loss="loss", right="right").points
    assert (points.loss.tolist(), points.error.tolist()) == ([3.5, 1.478], [0.75, 0.5])
    assert (points.runs, points.params.tolist()) == (("a", "b"), [7824, 1e6])


@pytest.mark.parametrize(("right", "tokens"), [("exact_match", 3.5), ("token_accuracy", 1.0)])
def test_the_table_says_how_many_tokens_are_judged_together(right, tokens):
    table = "held_out_loss,exact_match,token_accuracy,answer_length\n1,0.5,0.5,3\n2,0.1,0.2,4\n3,,,9\n"
    assert read_task_points(table, loss="held_out_loss", right=right).points.tokens == tokens


def test_without_a_column_of_lengths_one_token_is_judged():
    assert read_task_points("loss,exact_match\n1,0.5\n", loss="loss", right="exact_match").points.tokens == 1.0
