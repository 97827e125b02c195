"""What stands on each page: one folder a page, under the page's name.

ablate/       Take it apart
attention/    Attention
emergence/    Emergence
evaluate/     Evaluate
finetune/     Fine-tune
generate/     Predict and generate
inside/       Inside the model
scaling/      Scaling
tokens/       Tokens
train/        Train
"""
