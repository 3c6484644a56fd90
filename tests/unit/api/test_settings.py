"""Settings: what is set counts, what is unknown or wrong is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import SettingsInvalid
from api.settings import Settings, load_settings
from dispatch.words import Clock


def write(folder: Path, text: str) -> Path:
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_the_file_counts_and_a_variable_wins(tmp_path: Path) -> None:
    write(tmp_path, '[rules]\nclock = "received"\nack_band_s = 20\n[limits]\nsnap_max_m = 100\n')
    settings = load_settings(
        tmp_path,
        {"KUAIJING_LIMITS_SNAP_MAX_M": "250.5", "KUAIJING_RULES_CLOCK": "dispatched", "HOME": "/"},
    )
    assert settings.rules.clock is Clock.DISPATCHED
    assert settings.rules.ack_band_s == 20
    assert settings.limits.snap_max_m == 250.5


def test_a_table_set_in_part_keeps_its_other_entries(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "[rules]\ntimeout_s = { 1 = 15 }\n"), {})
    assert settings.rules.timeout_s == {1: 15.0, 2: 60.0, 3: 120.0, 4: 300.0}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rulez]\n", "rulez"),
        ("[rules]\nack_bnd_s = 3\n", "ack_bnd_s"),
        ('[rules]\nack_band_s = "soon"\n', "ack_band_s"),
        ('[rules]\nclock = "moon"\n', "moon"),
        ("rules = 3\n", "rules"),
        ("[rules\n", "settings.toml"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        load_settings(write(tmp_path, text), {})


def test_an_unknown_variable_of_a_section_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="requests_per_minute"):
        load_settings(tmp_path, {"KUAIJING_LIMITS_REQUESTS_PER_MINUTE": "3"})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("KUAIJING_LIMITS_SNAP_MAX_M", "far"),
        ("KUAIJING_RULES_CLOCK", "moon"),
        ("KUAIJING_RULES_CLOK", "received"),
    ],
)
def test_a_fault_of_a_variable_is_told_by_its_name(
    tmp_path: Path, variable: str, text: str
) -> None:
    write(tmp_path, "[rules]\nack_band_s = 20\n")
    with pytest.raises(SettingsInvalid, match=f"^{variable}={text}: "):
        load_settings(tmp_path, {variable: text})


def test_variables_of_other_things_are_left_alone(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"KUAIJING_LONG": "1", "KUAIJING_CACHE_DIR": "/x"}) == Settings()


@pytest.mark.parametrize(
    "line",
    [
        "[limits]\nrequests_per_s = 0",
        "[limits]\nrequests_per_s = -1",
        "[limits]\nrequests_burst = 0",
        "[limits]\nsnap_max_m = nan",
        "[limits]\nsnap_max_m = inf",
        "[limits]\nstream_clients = -1",
        "[rules]\ntimeout_s = {1 = -5}",
        "[rules]\nopen_incidents_max = 0",
        "[positions]\nlive_s = -inf",
        '[logging]\nlevel = "loud"',
    ],
)
def test_a_number_that_would_stop_the_work_is_refused_with_its_name(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / "settings.toml").write_text(line)
    name = line.split("\n")[1].partition(" ")[0]
    with pytest.raises(SettingsInvalid, match=name):
        load_settings(tmp_path, {})
