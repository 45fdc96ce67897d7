"""A run packed into one file for a pull request, and unpacked again: nothing but the files that are its own."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from stepreports.records.files import RecordError, write_whole
from stepreports.records.self_test_figures import NAME as SELF_TEST
from stepreports.submission.contents import PACKED_JOURNAL, TABLE, journal_content, read_submission, self_test_path

RECORDS = ("benchmark.json", "failures.json")
TOLD = ("summary.md", TABLE)
PACKED = (*RECORDS, *TOLD, PACKED_JOURNAL, SELF_TEST)
_MOST_BYTES = 10**9  # of what is unpacked
_WHEN = (1980, 1, 1, 0, 0, 0)  # the same run makes the same file


def pack(folder: Path, out: Path) -> Path:
    """Pack a run, with its journal and the harness's own test, into a zip file; its path. Raises `RecordError`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, member in _members(folder):
            packed.writestr(zipfile.ZipInfo(name, _WHEN), member, zipfile.ZIP_DEFLATED)
    return write_whole(out, content.getvalue())


def unpack(archive: Path, folder: Path) -> Path:
    """Write what a submission consists of into a folder; the folder. Raises `RecordError` for anything else in it."""
    try:
        with zipfile.ZipFile(archive) as packed:
            members = packed.infolist()
            if strange := [each.filename for each in members if each.filename not in PACKED]:
                raise RecordError(f"{archive} holds {strange[0]!r}, which is no part of a submission.")
            if sum(each.file_size for each in members) > _MOST_BYTES:
                raise RecordError(f"{archive} unpacks to more than {_MOST_BYTES / 1e9:.0f} GB.")
            for each in members:
                write_whole(folder / each.filename, packed.read(each))
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise RecordError(f"{archive} cannot be unpacked ({error}).") from error
    return folder


def _members(folder: Path) -> Iterator[tuple[str, bytes]]:
    submission = read_submission(folder)
    for name in (*RECORDS, *TOLD):
        yield name, (folder / name).read_bytes()
    if journal := journal_content(folder):
        yield PACKED_JOURNAL, gzip.compress(journal, mtime=0)
    if path := self_test_path(submission):
        yield SELF_TEST, path.read_bytes()
