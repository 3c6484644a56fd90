"""The categories that ship."""

from __future__ import annotations

from platforms.categories import PRIORITIES, default_categories

IN_USE = {
    "criminal", "public_order", "traffic", "dispute", "help", "fire", "disaster", "mass_event",
    "tip", "complaint", "inquiry", "social_service", "other",
}  # fmt: skip


def test_every_category_in_use_has_a_default() -> None:
    categories = {category.code: category for category in default_categories()}
    assert set(categories) == IN_USE
    assert all(category.priority in PRIORITIES for category in categories.values())
    assert categories["social_service"].diverted_to == "12345"
    assert categories["social_service"].required == ()
