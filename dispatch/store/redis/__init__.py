"""A store on a Redis server, for areas whose work several processes or machines share.

An area (the city, a county) has its keys, all in one hash slot, `kuaijing:{AREA}:NAME`:

| name | kind | holds |
|---|---|---|
| `meta` | hash | `format`, `log_id`, `epoch`, `head`, `floor` |
| `events` | stream | the log: entry `SEQ-0`, field `e` |
| `commands`, `command-times` | hash, sorted set | commands with their answers, and when |
| `versions` | hash | by name, the last event that touched it, where appends say what they touch |
| `closed`, `closed-columns`, `closed-times`, `closed-assignments` | hash, sorted set | history |
| `snapshots` | hash | boards by seq |
| `batches` | hash | by epoch, the last batch and what became of it |
| `leader` | string with an end | who leads; `probe` | string | what `probe` writes |

Rules, each held by a script in `lua/` and not by the client:
1. One batch, one script, one entry of the server's log, one sync. An answer comes after the sync
   (`appendfsync always`, see `server_check`).
2. A batch is carried out once. Its number is kept with its outcome, and a lost answer is asked for
   again under the same number: append n of batch b of epoch e is never applied twice.
3. An append of an older epoch is refused, whatever else holds. The lease makes two leaders
   unlikely, the epoch makes them harmless.
4. Whether an append got in is never guessed. While it is not known its caller waits, and all others
   are told that the log cannot be written.
"""
