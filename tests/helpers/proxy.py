"""A real nginx on loopback with the configuration that we ship, but for its ports and the folders that it writes to."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.browser import free_port
from tests.helpers.ray_cluster import LOOPBACK, answers
from tests.helpers.waiting import until

CONFIGURATION = Path(__file__).resolve().parents[2] / "docs" / "hosting" / "nginx.conf"
WRITES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx(servers: Sequence[int]) -> Iterator[str]:
    """The site's address; requests go to the servers of these ports, in place of 8501 and the next."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "apt-get install nginx-light brings nginx"
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="nginx"))
    folder.chmod(0o755)  # its workers are somebody else where it starts as root
    (folder / "nginx.conf").write_text(moved(CONFIGURATION.read_text(), port=port, servers=servers, folder=folder))
    settings = f"daemon off; pid {folder}/nginx.pid;"
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", settings]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: answers(port) or process.poll() is not None, "nginx")
        assert process.poll() is None, (folder / "log").read_text()
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def moved(text: str, *, port: int, servers: Sequence[int], folder: Path) -> str:
    """The configuration with other ports and folders."""
    wanted = iter(servers)
    text, count = re.subn(r"(server 127\.0\.0\.1:)\d+", lambda match: f"{match[1]}{next(wanted)}", text)
    assert count == len(servers)
    text, count = re.subn(r"listen \d+;", f"listen {LOOPBACK}:{port};", text)
    assert count == 1
    places = "".join(f"    {name}_temp_path {folder}/{name};\n" for name in WRITES)
    return text.replace("http {\n", f"http {{\n{places}", 1)
