"""Custom components: a Python wrapper, plain ES modules and a style sheet each.

Pictures that notebooks show too are drawn by `playground.viewer`; here they are wrapped as components.

architecture_view/ the drawing of a model, whose boxes can be chosen
attention_view/   every head of a model, one head in full, the difference of two
bertviz_views/    BertViz's own views, offline
first_steps/      three cards for newcomers
copy_field/       a text to copy
compared_lines/   lines of tokens with what a measure counted: matched, clipped, aligned
film_view/        attention over a training, frame by frame
live_chart/       a plotly chart that takes new data in place
live_text/        a text area that reports while a person types
page_frame/       show a page on a projector, or its picture alone in another page
samples_view/     a model's texts and answers at each evaluation of its training
shared/           registration: the viewer's modules and these as components of Streamlit
step_map/         the steps on a token's way, one of which is shown
threshold_view/   a classifier's threshold, moved in the browser
token_view/       coloured tokens, one of which can be clicked
"""
