"""TLS for a closed network: a private authority, a server's certificate, and the check of both.

The authority's key is needed only to make further certificates; it belongs on a stick in a safe and
not on the server.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import TlsRefused

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CA_CERT, CA_KEY, SERVER_CERT, SERVER_KEY = "ca.crt", "ca.key", "server.crt", "server.key"
CA_DAYS = 3_650
SERVER_DAYS = 825
"""The longest that common clients take for a server."""
CLOCK_SLACK = timedelta(hours=24)
"""Certificates hold from yesterday on: a tablet's clock may run behind."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """A server's certificate, with what stands between it and its authority, and its key."""

    cert: Path
    key: Path


def make_ca(out: Path, hosts: Sequence[str], *, now: datetime) -> ServerFiles:
    """Makes an authority and one server certificate signed by it, all files or none.

    Args:
        out: Folder to write; must be new or empty.
        hosts: Names and addresses by which clients know the server; loopback is always added.
        now: The certificates hold from a day before it.

    Raises:
        TlsRefused: The folder holds something, or a host is no name and no address.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TlsRefused(
            f"{out} is not empty: keys are never written over; name a new folder with --out"
        )
    names = [_name(host) for host in dict.fromkeys((*hosts, *LOOPBACK))]
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.absolute().parent) as made:
        draft = Path(made) / "tls"
        draft.mkdir(mode=0o700)
        for name, content in _made(names, hosts, now).items():
            _write(draft / name, content, secret=name.endswith(".key"))
        draft.replace(out)
    return ServerFiles(out / SERVER_CERT, out / SERVER_KEY)


def server_context(files: ServerFiles, *, now: datetime) -> ssl.SSLContext:
    """What the server listens with: TLS 1.2 or newer.

    Raises:
        TlsRefused: A file is missing, no certificate or key, protected by a password, or one does
            not belong to the other; or the certificate has run out.
    """
    for path in (files.cert, files.key):
        if not path.is_file():
            raise TlsRefused(f"{path} is not there; make both with: kuaijing tls make-ca --out DIR")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
        context.load_cert_chain(files.cert, files.key, password=lambda: "")
    except ssl.SSLError as error:
        raise TlsRefused(_told(files, error)) from error
    except (OSError, ValueError) as error:
        raise TlsRefused(
            f"{files.cert} or {files.key} cannot be read ({error}); both must be PEM and readable"
            " for the service's user"
        ) from error
    _check_dates(files.cert, now)
    return context


def client_context(ca: Path) -> ssl.SSLContext:
    """What checks the certificates of others: signed by this authority, and for their address.

    Raises:
        TlsRefused: The file is missing, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise TlsRefused(
            f"{ca} cannot be used to check others' certificates ({error}); it must be PEM, as"
            " ca.crt of kuaijing tls make-ca"
        ) from error


def _told(files: ServerFiles, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{files.key} is not the key of {files.cert}; give the two that were made together"
    return (
        f"{files.cert} is no PEM certificate, or {files.key} is no PEM key without a password"
        f" ({error.reason or error}); make both with: kuaijing tls make-ca --out DIR"
    )


def _check_dates(path: Path, now: datetime) -> None:
    from cryptography import x509  # noqa: PLC0415  # heavy, and for TLS alone

    cert = x509.load_pem_x509_certificate(path.read_bytes())
    first, last = cert.not_valid_before_utc, cert.not_valid_after_utc
    if not first <= now <= last:
        raise TlsRefused(
            f"{path} holds from {first:%Y-%m-%d} to {last:%Y-%m-%d} and today is {now:%Y-%m-%d}:"
            " no client would trust it; make a new one, or set the clock right"
        )


def _name(host: str) -> x509.GeneralName:
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    labels = host.split(".")
    plain = all(
        label.isascii() and label.replace("-", "a").isalnum() and label.strip("-") == label
        for label in labels
    )
    if not plain or len(host) > 253 or max(map(len, labels)) > 63 or labels[-1].isdigit():
        raise TlsRefused(
            f"--host {host[:80]!r} is no name and no address; give what stands in the clients'"
            " addresses, without https:// and port"
        )
    return x509.DNSName(host)


def _made(names: list[x509.GeneralName], hosts: Sequence[str], now: datetime) -> dict[str, bytes]:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])])
        for text in (f"kuaijing private CA {now:%Y-%m-%d}", (*hosts, *LOOPBACK)[0])
    )
    ca = (
        _begun(ca_name, ca_name, ca_key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    server = (
        _begun(name, ca_name, key, now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )
    return {
        CA_CERT: _signed(ca, ca_key),
        CA_KEY: _pem(ca_key),
        SERVER_CERT: _signed(server, ca_key),
        SERVER_KEY: _pem(key),
    }


def _begun(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    from cryptography import x509  # noqa: PLC0415

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509  # noqa: PLC0415

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415

    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, *, secret: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def utc_now() -> datetime:
    """Now, with its zone."""
    return datetime.now(UTC)
