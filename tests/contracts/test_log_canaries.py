"""What clients send never reaches the log: tokens, numbers, query strings, bodies, bad ones too.

And who called is found in plain text nowhere at all: no file, no feed, no figure.
"""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import httpx

from tests.contracts.test_serve_command import kuaijing, serving

PHONE = "13873912345"
WORDS = "canary-in-the-query", "canary-in-a-body", "canary-in-a-header"
CALLER = {"name": "canary-who-called", "phone": "0739-5550199", "note": "canary-of-a-caller"}
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
            shown = _name_callers(client, tokens[0])
            session_id = _sign_in(client, url, tokens[0])
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
    assert '"event": "caller_read"' in said, "who read is in the log, and not what"
    assert session_id not in said
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    for word in CALLER.values():
        assert word not in said
        assert word not in shown
        assert word.encode() not in kept
    assert session_id.encode() not in kept


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


def _name_callers(client: httpx.Client, desk: str) -> str:
    """Callers in sound and unsound calls; all that is shown where no caller belongs."""
    bearer = {"Authorization": f"Bearer {desk}"}
    place = client.get("/v1/platforms", headers=bearer).json()["items"][0]["location"]
    report = {"location": place, "category": "help", "caller": CALLER}
    made = client.post("/v1/incidents", headers={**bearer, "Idempotency-Key": "named"}, json=report)
    assert made.json()["caller"] == {"kept": True}
    again = client.post(
        "/v1/incidents", headers={**bearer, "Idempotency-Key": "named"}, json=report
    )
    path = f"/v1/incidents/{made.json()['incident']['id']}"
    tag = {"If-Match": client.get(path, headers=bearer).headers["etag"]}
    changed = client.patch(path, headers={**bearer, **tag}, json={"caller": CALLER})
    assert client.get(f"{path}/caller", headers=bearer).json().items() > CALLER.items()
    name, phone, note = CALLER.values()
    spoilt = [
        {**report, "category": "none"},
        {**report, "caller": {**CALLER, "phone": f"{phone} {name}"}},
        {**report, "caller": [name, phone, note]},
    ]
    answers = [made, again, changed]
    answers += [client.post("/v1/incidents", headers=bearer, json=one) for one in spoilt]
    answers.append(client.get(f"{path}/caller", params={"name": name}))
    for shown in (path, "/v1/incidents", "/v1/snapshot", "/v1/events?limit=1000", "/metrics"):
        answers.append(client.get(shown, headers=bearer))
    # Not among them: a field that nobody knows is named to who sent it, as ever.
    client.post("/v1/incidents", headers=bearer, json={**report, "caller": {name: phone}})
    return "".join(one.text for one in answers)


def _sign_in(client: httpx.Client, url: str, desk: str) -> str:
    """Signs in and goes on with the cookie, well and badly; the session's id."""
    page = {"Origin": url, "X-Requested-With": "kuaijing"}
    signed_in = client.post("/v1/session", headers=page, json={"token": desk})
    assert signed_in.status_code == 201
    session_id = signed_in.cookies["kuaijing_session"]
    assert client.get("/v1/units").status_code == 200
    assert client.post("/v1/incidents", json={}).status_code == 403
    # Nobody's word counts here: this service stands behind no proxy.
    spoofed = {**page, "Origin": url.replace("http:", "https:"), "X-Forwarded-Proto": "https"}
    assert client.post("/v1/session", headers=spoofed, json={"token": desk}).status_code == 403
    client.post("/v1/session", headers=page, json={"token": f"{desk}{session_id}"})
    client.post("/v1/session", headers=page, json={session_id: desk})
    client.post(f"/v1/session?token={desk}&id={session_id}", headers=page, json={})
    return session_id


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
