"""What a model predicts and writes: the parts of the page "Predict and generate"."""
