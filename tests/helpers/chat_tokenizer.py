"""A tokenizer whose every byte is a token, with the special tokens of a chat template and the template."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_tokenizer(template: str | dict[str, str] | None, *, frame: bool = False) -> PreTrainedTokenizerFast:
    """Every byte a token, the special tokens of ChatML; frame: each text begins with one."""
    alphabet = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(alphabet, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    if frame:
        first = ("<|im_start|>", tokenizer.token_to_id("<|im_start|>"))
        tokenizer.post_processor = processors.TemplateProcessing(single="<|im_start|> $A", special_tokens=[first])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", chat_template=template
    )


def save_chat_model(folder: Path, template: str | None = CHATML) -> Path:
    """A random Llama that reads these bytes, as a folder that `load` reads."""
    from tests.helpers.pretrained_folders import build

    special = {"bos_token_id": 256, "eos_token_id": 257, "pad_token_id": 257}
    build("llama", vocab_size=258, max_position_embeddings=512, **special).save_pretrained(folder)
    byte_tokenizer(template).save_pretrained(folder)
    return folder
