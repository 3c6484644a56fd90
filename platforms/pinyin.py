"""How a name is spelled in Latin letters, so that it is found without a Chinese keyboard."""

from __future__ import annotations

import unicodedata

from pypinyin import lazy_pinyin


def spelled(name: str) -> tuple[str, str]:
    """The spelling of a name and its initials, both lower case without tones or spaces.

    "西湖桥" gives ("xihuqiao", "xhq"); a Latin name loses its accents: "Rua São João" gives
    ("ruasaojoao", "rsj").
    """
    syllables = [_latin(word) for part in lazy_pinyin(name) for word in part.split()]
    kept = [syllable for syllable in syllables if syllable]
    return "".join(kept), "".join(syllable[0] for syllable in kept)


def _latin(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode("ascii")
    return "".join(letter for letter in plain.lower() if letter.isalnum())
