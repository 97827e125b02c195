"""`app`: open the app in the browser."""

import argparse
import subprocess
import sys

from playground.errors import UserError
from playground.folders import app_folder
from playground.text import _


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("app", help=_("open the app in the browser"))
    parser.add_argument("--port", type=int, help=_("the port (8501, or the next free one)"))
    parser.add_argument("--address", help=_("the address to listen at, such as 127.0.0.1"))
    parser.add_argument("--headless", action="store_true", help=_("do not open a browser"))
    parser.add_argument("--hosted", action="store_true", help=_("serve strangers: folders are closed, runs are owned"))
    parser.set_defaults(run=open_app)


def app_command(arguments: argparse.Namespace) -> list[str]:
    """The command that serves the app. Raises UserError for a port that there is not."""
    if arguments.port is not None and not 1 <= arguments.port <= 65_535:
        raise UserError("There is no port {port}; choose 1 to 65535.", port=arguments.port)
    script = app_folder() / ("asgi.py" if arguments.hosted else "app.py")
    options = {"server.port": arguments.port, "server.address": arguments.address}
    flags = [f"--{name}={value}" for name, value in options.items() if value is not None]
    flags += ["--server.headless=true"] if arguments.headless else []
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags]


def open_app(arguments: argparse.Namespace) -> None:
    """Serve the app until it is interrupted. Raises UserError where the server could not run."""
    code = subprocess.call(app_command(arguments))
    if code not in (0, 130, -2):
        raise UserError("The server ended with code {code}; what it said stands above.", code=code)
