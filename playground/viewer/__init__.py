"""The viewer: pictures that are drawn in a browser, on the app's pages and in notebooks.

Each folder holds what is sent as bytes (Python), how it is drawn (plain ES modules in js) and a style sheet. Nothing in
here knows Streamlit: `ui/components` wraps the same modules as its components.

attention_view/  every head of a model, one head in full, the difference of two
film_view/       attention over a training, frame by frame
token_view/      tokens that are coloured, listed and clicked
bertviz_views/   BertViz's own views as documents, offline
notebook.py      a page as the output of a notebook's cell
shared/          payloads, bundling, labels, and the JavaScript that several views use
"""
