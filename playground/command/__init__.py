"""The commands of `python -m playground`, one file per verb.

app.py           open the app in the browser
train.py         train a run
finetune.py      let a model learn on
effects.py       what that did to it: drift, heads, forgetting
export.py        a run as a model folder
models.py        list models; fetch one
trace.py         every head's attention as a file
neurons.py       the neurons that add most at a token
tokens.py        a text as tokens, step by step
similar.py       lines ranked by similarity; nearest tokens
classify.py      ask a classifier about texts, or the rows of a table
chat.py          a conversation as the model reads it, and its reply
evaluate.py      perplexity, BLEU, ROUGE, word errors, labels
fit.py           fit a scaling law
sweep.py         train a grid of runs
emerge.py        train and measure the studies of the Emergence page
report_json.py   a report as JSON, with null for numbers that are not finite
model_options.py options that name a model, and the model
options.py       options made from config records
"""
