"""TLS on a closed network: a private authority, a real handshake, and what is refused."""

from __future__ import annotations

import json
import shutil
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from api.addresses import check_address
from api.errors import AddressRefused, TlsRefused
from api.tls import ServerFiles, make_ca, server_context, utc_now
from tests.contracts.test_serve_command import kuaijing, one_line, serving

NOW = utc_now()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls") / "net"
    make_ca(folder, ["dispatch.shaoyang.internal", "10.20.0.5"], now=NOW)
    return folder


def files(folder: Path) -> ServerFiles:
    return ServerFiles(folder / "server.crt", folder / "server.key")


def test_a_client_that_trusts_the_made_authority_is_served_and_others_turn_away(
    tmp_path: Path,
) -> None:
    folder, data = tmp_path / "tls", tmp_path / "data"
    done = kuaijing("tls", "make-ca", "--out", folder, "--host", "10.20.0.5", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    words = ("--tls-cert", report["cert"], "--tls-key", report["key"])
    trusting = ssl.create_default_context(cafile=report["ca"])
    with serving(data, *words, verify=trusting) as (url, _):
        assert url.startswith("https://127.0.0.1:")
        token = kuaijing("token", "create", "--data", data, "--role", "admin").stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(
            base_url=url, headers=headers, verify=trusting, trust_env=False
        ) as client:
            assert client.get("/v1/units?limit=1").status_code == 200
            with client.stream("GET", "/v1/events/stream") as stream:
                assert next(stream.iter_lines()) == "retry: 2000"
        page = {"Origin": url, "X-Requested-With": "kuaijing"}
        with httpx.Client(base_url=url, verify=trusting, trust_env=False) as browser:
            signed_in = browser.post("/v1/session", json={"token": token}, headers=page)
            assert signed_in.status_code == 201, signed_in.text
            assert signed_in.headers["set-cookie"].startswith("__Host-kuaijing_session=")
            assert signed_in.headers["set-cookie"].endswith("; Secure")
            assert browser.get("/v1/session").json()["role"] == "admin"
            assert browser.delete("/v1/session", headers=page).status_code == 204
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url, trust_env=False)
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http"), trust_env=False)


def test_the_certificate_names_what_was_asked_for_and_loopback(made: Path) -> None:
    cert = x509.load_pem_x509_certificate((made / "server.crt").read_bytes())
    named = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == ["dispatch.shaoyang.internal", "localhost"]
    addresses = {str(one) for one in named.get_values_for_type(x509.IPAddress)}
    assert addresses == {"10.20.0.5", "127.0.0.1", "::1"}
    limits = cert.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not limits.ca
    authority = x509.load_pem_x509_certificate((made / "ca.crt").read_bytes())
    cert.verify_directly_issued_by(authority)


def test_old_versions_of_tls_are_not_spoken(made: Path) -> None:
    context = server_context(files(made), now=NOW)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_keys_are_for_the_owner_alone_and_never_written_over(made: Path) -> None:
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((made / name).stat().st_mode) == 0o600
    before = (made / "ca.key").read_bytes()
    with pytest.raises(TlsRefused, match="not empty"):
        make_ca(made, [], now=NOW)
    assert (made / "ca.key").read_bytes() == before


@pytest.mark.parametrize(
    "host", ["https://x", "a b", "x:8000", "-x", "", "邵阳", "1.2.3", "a" * 64, "x..y", "*.x/"]
)
def test_a_host_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, host: str) -> None:
    with pytest.raises(TlsRefused, match="no name and no address"):
        make_ca(tmp_path / "tls", [host], now=NOW)
    assert list(tmp_path.iterdir()) == []


def spoil_missing(folder: Path) -> None:
    (folder / "server.key").unlink()


def spoil_mismatch(folder: Path) -> None:
    shutil.copy(folder / "ca.key", folder / "server.key")


def spoil_noise(folder: Path) -> None:
    (folder / "server.crt").write_text("no certificate", encoding="utf-8")


def spoil_swapped(folder: Path) -> None:
    cert, key = (folder / name for name in ("server.crt", "server.key"))
    content = cert.read_bytes()
    cert.write_bytes(key.read_bytes())
    key.write_bytes(content)


def spoil_password(folder: Path) -> None:
    path = folder / "server.key"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoil_missing, r"server\.key is not there"),
        (spoil_mismatch, "is not the key of"),
        (spoil_noise, "no PEM certificate"),
        (spoil_swapped, "no PEM certificate"),
        (spoil_password, "without a password"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    made: Path, tmp_path: Path, spoil: object, why: str
) -> None:
    folder = tmp_path / "tls"
    shutil.copytree(made, folder)
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(TlsRefused, match=why):
        server_context(files(folder), now=NOW)


@pytest.mark.parametrize("days", [-400, 826, 4_000])
def test_a_certificate_that_does_not_hold_today_is_refused(made: Path, days: int) -> None:
    with pytest.raises(TlsRefused, match="no client would trust it"):
        server_context(files(made), now=NOW + timedelta(days=days))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "dispatch.internal", ""])
def test_no_address_but_loopback_without_tls_or_a_proxy(host: str) -> None:
    with pytest.raises(AddressRefused, match="--tls-cert"):
        check_address(host, behind_proxy=False, tls=False)
    check_address(host, behind_proxy=True, tls=False)
    check_address(host, behind_proxy=False, tls=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_neither(host: str) -> None:
    check_address(host, behind_proxy=False, tls=False)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--tls-cert", "x"), "go together"),
        (("--tls-key", "x"), "go together"),
        (("--tls-cert", "x", "--tls-key", "y"), "x is not there"),
        (("--tls-cert", "x", "--tls-key", "y", "--demo"), "--demo"),
    ],
)
def test_wrong_words_are_told_in_one_line(
    tmp_path: Path, words: tuple[str, ...], named: str
) -> None:
    done: subprocess.CompletedProcess[str] = kuaijing("serve", "--data", tmp_path / "data", *words)
    assert done.returncode == 1
    assert named in one_line(done)
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_the_time_has_a_zone() -> None:
    assert datetime.now(UTC) - utc_now() < timedelta(seconds=5)
