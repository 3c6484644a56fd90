"""Whether the sheet for paper can be printed here: a page without its fonts is a page of boxes."""

from __future__ import annotations

import shutil
import subprocess

from api.checkup.finding import Finding

ASK_WITHIN_S = 10.0


def look_at_fonts() -> Finding:
    """Chinese fonts, as fontconfig knows them."""
    program = shutil.which("fc-list")
    if program is None:
        return Finding("fonts", None, "fontconfig is not here: nobody can say; print elsewhere")
    done = subprocess.run(  # noqa: S603 - a fixed question to the program found above
        [program, ":lang=zh", "family"],
        capture_output=True,
        text=True,
        timeout=ASK_WITHIN_S,
        check=True,
    )
    families = sorted({line.partition(",")[0].strip() for line in done.stdout.splitlines()} - {""})
    if not families:
        return Finding(
            "fonts",
            None,
            "no Chinese font: the sheet for paper must be printed on another machine, or install"
            " one, as fonts-noto-cjk",
        )
    more = f" and {len(families) - 3} more" if len(families) > 3 else ""
    return Finding("fonts", True, f"Chinese in {', '.join(families[:3])}{more}")
