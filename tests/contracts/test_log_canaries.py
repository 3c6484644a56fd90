"""What clients send never reaches the log: tokens, numbers, query strings, bodies, bad ones too."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import httpx

from tests.contracts.test_serve_command import kuaijing, serving

PHONE = "13873912345"
WORDS = "canary-in-the-query", "canary-in-a-body", "canary-in-a-header"
SETTINGS = '[logging]\nlevel = "debug"\naccess = true\njson = true\n'


def test_no_canary_of_a_client_is_found_in_the_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    tokens = [
        kuaijing("token", "create", "--data", data, "--role", role, *unit).stdout.strip()
        for role, *unit in (("dispatcher",), ("vehicle", "--unit", "P01-C1"))
    ]
    with serving(data) as (url, process):
        with httpx.Client(base_url=url, trust_env=False) as client:
            _send_canaries(client, *tokens)
        _send_noise(url, tokens[0])
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        said = process.stdout.read()
    assert said.count('"event": "request"') > 10, "the access log was on"
    for token in tokens:
        assert token.rpartition("_")[2] not in said
        assert token.rpartition("_")[2][:12] not in said
    assert PHONE not in said
    for word in WORDS:
        assert word not in said


def _send_canaries(client: httpx.Client, desk: str, vehicle: str) -> None:
    """Sound and unsound calls with a canary in every place that a client can fill."""
    query, body, header = WORDS
    bearer = {"Authorization": f"Bearer {desk}", "X-Canary": header, "User-Agent": header}
    place = client.get("/v1/platforms", headers=bearer).json()["items"][0]["location"]
    report = {"location": place, "category": "help", "description": f"{body} {PHONE}"}
    made = client.post("/v1/incidents", headers=bearer, json=report)
    assert made.status_code == 201
    path = f"/v1/incidents/{made.json()['incident']['id']}"
    client.post(f"{path}/notes", headers=bearer, json={"text": f"{body} {PHONE}"})
    client.post("/v1/incidents", headers=bearer, json={**report, "category": f"{body}{PHONE}"})
    client.post("/v1/incidents", headers=bearer, json={**report, PHONE: body})
    client.post("/v1/incidents", headers=bearer, content=f'{{"{body}": {PHONE}')
    client.get("/v1/places", headers=bearer, params={"q": f"{query} {PHONE}"})
    client.get("/v1/units", headers=bearer, params={"status": query, "token": desk})
    client.get(f"/v1/units/{PHONE}", headers=bearer)
    client.get(f"/v1/units/{vehicle}", headers=bearer)
    client.get(f"/{vehicle}/{PHONE}", headers=bearer)
    client.get("/v1/units", headers={"Authorization": f"Basic {desk}"})
    client.get("/v1/units", headers={"X-Request-Id": f"{vehicle[:50]}"})
    fix = {"id": "P01-C1", "token": vehicle, "lat": place["lat"], "lon": place["lon"]}
    assert client.get("/osmand", params=fix).status_code == 200
    client.get("/osmand", params={**fix, "lat": query})
    client.post("/osmand", data={**fix, "id": vehicle, "timestamp": PHONE})
    client.post("/v1/positions", headers=bearer, content=f"[{body}")


def _send_noise(url: str, token: str) -> None:
    """What is no HTTP at all."""
    host, port = url.removeprefix("http://").split(":")
    for noise in (
        f"GET /v1/units?token={token} NONSENSE\r\n\r\n",
        f"{token} {PHONE} {WORDS[0]}\r\n\r\n",
        f"GET / HTTP/1.1\r\nAuthorization {token}\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as plain:
            plain.sendall(noise.encode())
            plain.recv(4096)
