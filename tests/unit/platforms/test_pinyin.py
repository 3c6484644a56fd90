"""Spelling of names."""

from __future__ import annotations

import pytest

from platforms.pinyin import spelled


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("西湖桥", "xihuqiao", "xhq"),
        ("北塔1号", "beita1hao", "bt1h"),
        ("Rua São João", "ruasaojoao", "rsj"),
        ("绿洲路", "lvzhoulu", "lzl"),
        ("", "", ""),
    ],
)
def test_spelling(name: str, pinyin: str, initials: str) -> None:
    assert spelled(name) == (pinyin, initials)
