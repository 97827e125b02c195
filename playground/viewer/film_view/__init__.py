"""The film: attention maps over a training, frame by frame, with curves of the head scores over the same steps.

assets.py       style sheet and bundled module
film.py         the frames that a browser lacks, as a payload
film_state.py   the selection, validated
js              the browser's side
labels.py       labels, translated
message.py      frames, first selection and labels for a browser
placed.py       the film of a run's folder as a view of a page
run_film.py     the film of a training run
"""
