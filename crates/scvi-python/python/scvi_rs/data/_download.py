"""Fetching files."""

from __future__ import annotations

import logging
import shutil
from os import PathLike
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.error import HTTPError
from urllib.request import Request, urlopen

logger = logging.getLogger(__name__)


def _download(url: str | None, save_path: str | PathLike[str], filename: str) -> None:
    """Fetches a file that is not there yet, whole or not at all.

    Parameters
    ----------
    url
        Where it comes from; with ``None`` nothing is done.
    save_path
        Directory it goes to; made if it is missing.
    filename
        Its name there.

    Raises
    ------
    FileNotFoundError
        If there is nothing at ``url``.
    """
    directory = Path(save_path)
    target = directory / filename
    if target.exists():
        logger.info("File %s already downloaded", target)
        return
    if url is None:
        logger.info("No backup URL provided for missing file %s", target)
        return
    logger.info("Downloading file at %s", target)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with (
            urlopen(Request(url, headers={"User-Agent": "scvi-rs"})) as response,
            NamedTemporaryFile(dir=directory, prefix=f".{filename}.", delete=False) as part,
        ):
            partial = Path(part.name)
            try:
                shutil.copyfileobj(response, part)
                part.close()
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
    except HTTPError as error:
        if error.code == 404:
            raise FileNotFoundError(f"Could not find file at {url}") from error
        raise
