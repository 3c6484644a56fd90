"""A service and its workers as one: processor time and memory of a process and its children."""

from __future__ import annotations

from pathlib import Path

from api.bench.children import processor_ns, resident_mb


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(word) for word in children.read_text(encoding="ascii").split()]
            except OSError:
                # It has ended since it was listed.
                continue
    return found


def family_ns(pid: int) -> int:
    """Processor time of the family so far; 0 where the system does not tell."""
    return sum(processor_ns(one) for one in family(pid))


def family_mb(pid: int) -> float:
    """Resident memory of the family, MB; pages that processes share count for each."""
    return sum(resident_mb(one) or 0.0 for one in family(pid))
