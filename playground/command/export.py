"""`export`: write a run's last checkpoint as a model folder."""

import argparse
from pathlib import Path

from playground.text import _


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    exporter = commands.add_parser("export", help=_("write a run's last checkpoint as a model folder with a card"))
    exporter.add_argument("folder", type=Path, help=_("the run folder"))
    exporter.add_argument("--out", type=Path, required=True, help=_("the model folder to write"))
    exporter.add_argument("--name", help=_("the model's name on its card (default: the folder's name)"))
    exporter.add_argument("--licence", help=_("the licence on its card (default: none)"))
    exporter.add_argument(
        "--format",
        choices=["playground", "transformers"],
        default="playground",
        help=_("the format of the model folder (default playground)"),
    )
    exporter.add_argument("--adapter", action="store_true", help=_("of a fine-tuning: LoRA alone, in peft's files"))
    exporter.set_defaults(run=export_run)


def export_run(arguments: argparse.Namespace) -> None:
    """Export, and print the folder."""
    from playground.errors import UserError
    from playground.training.finetune.result import export_adapter, export_for_hub, export_merged
    from playground.training.run.export import export_model, export_to_transformers
    from playground.training.run.runs import read_run

    if not arguments.folder.is_dir():
        raise UserError("There is no folder {name}; check the path.", name=arguments.folder)
    if read_run(arguments.folder).base:
        whole = export_for_hub if arguments.format == "transformers" else export_merged
        print((export_adapter if arguments.adapter else whole)(arguments.folder, arguments.out))
        return
    if arguments.format == "transformers":
        export_to_transformers(arguments.folder, arguments.out)
    else:
        name = arguments.name or arguments.out.name
        export_model(arguments.folder, arguments.out, name=name, licence=arguments.licence)
    print(arguments.out)
