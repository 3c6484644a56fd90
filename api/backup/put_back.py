"""Puts a backup back into a new folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from api.backup.check import check_backup
from api.backup.manifest import Manifest, described, read_manifest
from api.backup.synced import sync
from api.errors import BackupFailed
from dispatch.store.signed_heads import KEY_NAME, HeadKey
from dispatch.verifying import Verified


def put_back(
    backup: Path, data_dir: Path, *, key: HeadKey | None, say: Callable[[str], None]
) -> tuple[Manifest, Verified]:
    """Check a backup and make a service's folder of it; a folder that holds anything is refused.

    Args:
        backup: The backup.
        data_dir: The folder to make; it may be there when it is empty.
        key: Key of the head in the manifest; None leaves its signature unchecked.
        say: Told how far it is.

    Raises:
        DataMissing: It is no backup.
        BackupFailed: It is damaged, the folder is not empty, or the disk refuses. The folder is
            as it was.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise BackupFailed(f"--data {data_dir} is not empty: give a folder that is not there yet")
    if data_dir.is_symlink() or data_dir.is_mount():
        # The whole folder is put in place in one step, which neither of the two allows.
        raise BackupFailed(
            f"--data {data_dir} is a link or the root of a mounted disk: give a folder inside it"
            " that is not there yet"
        )
    found = check_backup(backup, key=key, say=say)
    if not found.whole:
        texts = "; ".join(fault.text for fault in found.faults[:3])
        raise BackupFailed(f"{backup} is damaged and is not restored: {texts}")
    manifest = read_manifest(backup)
    draft = None
    try:
        data_dir.absolute().parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".restoring-", dir=data_dir.absolute().parent))
        _fill(draft, backup, manifest)
        draft.rename(data_dir)
        sync(data_dir.absolute().parent)
    except OSError as error:
        raise BackupFailed(f"--data {data_dir} cannot be made: {error.strerror}") from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return manifest, found


def _fill(draft: Path, backup: Path, manifest: Manifest) -> None:
    for name, wanted in manifest.files.items():
        shutil.copyfile(backup / name, draft / name)
        (draft / name).chmod(0o600)
        if described(draft / name) != wanted:
            raise BackupFailed(f"{name} did not come out of {backup} as it went in")
        sync(draft / name)
    # A backup holds none, and a log that lost its key is told as an error at the start.
    HeadKey.read_or_make(draft / KEY_NAME)
    sync(draft)
