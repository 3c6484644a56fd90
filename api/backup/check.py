"""Is a backup as it was written?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from api.backup.manifest import MANIFEST_FILE, Manifest, described, read_manifest
from dispatch.store.signed_heads import HeadKey, SignedHead
from dispatch.store.sqlite_log import LOG_NAME
from dispatch.verifying import Fault, Verified, verify


def is_backup(folder: Path) -> bool:
    """Whether a folder is a backup and not a service's own."""
    return (folder / MANIFEST_FILE).exists()


def check_backup(
    folder: Path,
    *,
    heads_dir: Path | None = None,
    key: HeadKey | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> Verified:
    """Verify a backup: its manifest, its files, and its log from end to end.

    Args:
        folder: The backup.
        heads_dir: Signed heads to compare it with; later ones are no fault of an old backup.
        key: Key of the heads, and of the one in the manifest.
        say: Told how far it is.

    Raises:
        DataMissing: It is no backup.
        LogFormatUnknown: A newer version made it.
    """
    faults: list[Fault] = []
    manifest: Manifest | None = None
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        faults.append(_fault(str(error)))
    else:
        faults.extend(_fault(text) for text in _file_faults(folder, manifest))
    found = verify(folder, heads_dir=heads_dir, key=key, older_copy=True, say=say)
    if manifest is not None:
        faults.extend(_fault(text) for text in _log_faults(manifest, found, key))
    return replace(found, faults=(*found.faults, *faults))


def _file_faults(folder: Path, manifest: Manifest) -> list[str]:
    faults = []
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.name != name:
            faults.append(f"{name} is missing")
        elif described(path) != wanted:
            faults.append(f"{name} is not as it was written")
    # SQLite would mix them into the log: the copy has none.
    strangers = [f"{LOG_NAME}{end}" for end in ("-wal", "-journal")]
    found = [name for name in strangers if (folder / name).exists()]
    return faults + [f"{name} does not belong to it" for name in found]


def _log_faults(manifest: Manifest, found: Verified, key: HeadKey | None) -> list[str]:
    if (manifest.seq, manifest.chain) != (found.events, found.chain):
        return [f"the manifest speaks of event {manifest.seq}, the log ends at {found.events}"]
    if manifest.head is None or key is None:
        return []
    try:
        head = SignedHead(**manifest.head)  # type: ignore[arg-type]
    except TypeError:
        return ["the head in the manifest is none"]
    if head.key_id != key.key_id:
        return []
    fits = (head.seq, head.chain) == (manifest.seq, manifest.chain)
    return [] if fits and key.holds(head.signed_text, head.signature) else ["its head is forged"]


def _fault(text: str) -> Fault:
    return Fault(where="backup", seq=None, text=text)
