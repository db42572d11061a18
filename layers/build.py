"""Fills one Lambda layer: our own source, or packages from a hashed list. Called by layers/Makefile under `sam build`.

Standard library only, since it runs before anything is installed. Packages are installed as listed (`--no-deps`), as
wheels for the target machine; what no function needs at run time is dropped, and where this Python is the target's the
modules are compiled, because Lambda mounts layers read-only and would compile them anew at every cold start.
"""

import argparse
import compileall
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Manylinux tags Lambda's Amazon Linux 2023 (glibc 2.34) can load, newest first.
PLATFORM_TAGS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}

# Left out of the bundle: tests, type stubs, headers, and the tools some packages carry beside their run-time part.
DROPPED_FOLDERS = ("__pycache__", "tests", "test", "testing", "include", "bin")
DROPPED_SUFFIXES = (".pyi", ".pxd", ".pyx", ".c", ".h", ".a", ".typed")
DROPPED_PATHS = (
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "cffi",  # cryptography needs the compiled _cffi_backend only
    "chalice/cli",
    "chalice/deploy",
    "chalice/policies.json",
    "chalice/templates",
    "lib64",
    "numpy/f2py",
    "numpy/_pyinstaller",
    # pyarrow reads Parquet here, through files of our own: no clients, no second engine, no sources.
    "pyarrow/libarrow_flight.so.*",
    "pyarrow/libarrow_s3.so.*",
    "pyarrow/_flight.*",
    "pyarrow/_s3fs.*",
    "pyarrow/src",
)
DROPPED_GLOBS = ("zstandard/_cffi*", "zstandard/backend_cffi*")  # its second implementation; the C one is imported
KEPT_FOLDERS = ("numpy/testing", "jinja2/test")  # numpy imports numpy.testing lazily; both are part of the packages
KEPT_METADATA = ("METADATA",)


def main() -> int:
    """Builds the layer named on the command line; the exit code is pip's where pip failed."""
    arguments = parse_arguments()
    into = Path(arguments.into)
    into.mkdir(parents=True, exist_ok=True)
    if arguments.source:
        missing = [name for name in arguments.require if not (Path(arguments.source) / name).is_dir()]
        if missing:
            sys.stderr.write(f"{', '.join(missing)} is missing in {arguments.source}: run `make web` first\n")
            return 1
        copy_source(Path(arguments.source), into)
    else:
        code = install(Path(arguments.requirements), into, arguments.python, arguments.arch)
        if code:
            return code
        prune(into)
    if arguments.python == f"{sys.version_info.major}.{sys.version_info.minor}":
        compile_modules(into)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Exactly one of --source and --requirements is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--source")
    what.add_argument("--requirements")
    parser.add_argument("--require", action="append", default=[], help="a folder the source must have been given")
    parser.add_argument("--into", required=True)
    parser.add_argument("--python", required=True, help="the runtime's version, as 3.13")
    parser.add_argument("--arch", required=True, choices=sorted(MACHINES))
    return parser.parse_args()


def copy_source(source: Path, into: Path) -> None:
    """Our own packages, without caches."""
    shutil.copytree(source, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "tests"))


def install(requirements: Path, into: Path, python: str, arch: str) -> int:
    """Wheels for the target machine; returns pip's exit code."""
    command = [sys.executable, "-m", "pip", "install", "-qq", "--no-input"]
    command += ["--disable-pip-version-check", "--root-user-action", "ignore"]
    command += ["--no-deps", "--require-hashes", "--no-compile", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", python, "--target", str(into), "--requirement", str(requirements)]
    for tag in PLATFORM_TAGS:
        command += ["--platform", f"{tag}_{MACHINES[arch]}"]
    return subprocess.run(command, check=False).returncode  # noqa: S603 -- our own command line


def prune(root: Path) -> None:
    """Removes what no function needs at run time."""
    for path in list(unneeded(root)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for folder in sorted((p for p in root.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def unneeded(root: Path) -> Iterator[Path]:
    """Paths under `root` that `prune` removes, parents before children."""
    yield from (path for name in DROPPED_PATHS for path in root.glob(name))
    for pattern in DROPPED_GLOBS:
        yield from root.glob(pattern)
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            if path.name in DROPPED_FOLDERS and name not in KEPT_FOLDERS:
                yield path
        elif path.suffix in DROPPED_SUFFIXES or (".dist-info/" in name and path.name not in KEPT_METADATA):
            yield path


def compile_modules(root: Path) -> None:
    """Hash-based, unchecked byte code: valid whatever the unpacked files' times are."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(
        root, quiet=2, invalidation_mode=mode, stripdir=str(root), prependdir="/opt/python", workers=1
    )


if __name__ == "__main__":
    sys.exit(main())
