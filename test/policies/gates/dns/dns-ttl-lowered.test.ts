import { dnsTtlLowered } from "../../../../policies/gates/dns/dns-ttl-lowered.ts";
import { set, testGate } from "../../../support/gate-tester.ts";

const changedAt = Date.parse("2026-03-02T10:00:00Z");
const dwell = 3600 * 1000;

testGate(dnsTtlLowered, {
  needs: [
    "facts.ttlSeconds",
    "facts.before.ttl",
    "facts.before.ttl.seconds",
    "facts.before.ttl.previousSeconds",
    "facts.before.ttl.changedAt",
  ],
  mayRead: ["facts.clockScale", "facts.phase", "facts.phases"],
  passes: {
    "the longest lowered TTL": [set("facts.before.ttl.seconds", 300), set("facts.ttlSeconds", 300)],
    "Cloudflare's automatic TTL, which is as long": [
      set("facts.before.ttl.seconds", 1),
      set("facts.ttlSeconds", 1),
    ],
    "the moment when the earlier TTL has run out": [set("now", changedAt + dwell)],
    "a ledger clock that is a minute ahead, long after": [
      set("facts.before.ttl.changedAt", "2026-03-02T10:01:00+00:00"),
    ],
    "a rehearsal in which an hour takes a second": [
      set("rehearsal", true),
      set("facts.clockScale", 3600),
      set("now", changedAt + 1000),
    ],
    "a system without the phase, which has no TTL to lower": [
      set("facts.phases", ["prepare", "cutover", "observe", "finalize"]),
      set("facts.before.ttl", null),
      set("facts.ttlSeconds", 3600),
    ],
  },
  fails: {
    "a list of phases that cannot be the system's": [
      [set("facts.phases", []), set("facts.ttlSeconds", 3600)],
      "fail",
      "release v1.1.0: this phase sets a TTL of 3600 s",
    ],
    "one second too long": [
      [set("facts.before.ttl.seconds", 301)],
      "fail",
      "release v1.1.0: DNS answers live 301 s",
    ],
    "a TTL of zero": [
      [set("facts.before.ttl.seconds", 0)],
      "fail",
      "release v1.1.0: DNS answers live 0 s",
    ],
    "raised by this very phase": [
      [set("facts.ttlSeconds", 301)],
      "fail",
      "release v1.1.0: this phase sets a TTL of 301 s",
    ],
    "no TTL in the ledger": [
      [set("facts.before.ttl", null)],
      "inconclusive",
      "release v1.1.0: the ledger knows no TTL",
    ],
    "a millisecond before the earlier TTL has run out": [
      [set("now", changedAt + dwell - 1)],
      "fail",
      "release v1.1.0: answers with the TTL before, 3600 s, live until 2026-03-02T11:00:00.000Z",
    ],
    "an earlier automatic TTL that has not run out": [
      [set("facts.before.ttl.previousSeconds", 1), set("now", changedAt + 299_000)],
      "fail",
      "release v1.1.0: answers with the TTL before, 1 s, live until 2026-03-02T10:05:00.000Z",
    ],
    "scaled time outside a rehearsal": [
      [set("facts.clockScale", 3600), set("now", changedAt + 1000)],
      "fail",
      "release v1.1.0: answers with the TTL before, 3600 s, live until 2026-03-02T11:00:00.000Z",
    ],
    "a millisecond too early in a rehearsal": [
      [set("rehearsal", true), set("facts.clockScale", 3600), set("now", changedAt + 999)],
      "fail",
      "release v1.1.0: answers with the TTL before, 3600 s, live until 2026-03-02T10:00:01.000Z",
    ],
    "a clock that stands still": [
      [set("rehearsal", true), set("facts.clockScale", 0)],
      "inconclusive",
      "release v1.1.0: it cannot be told how long earlier answers live",
    ],
    "a change in the future": [
      [set("facts.before.ttl.changedAt", "2026-03-02T12:01:00.001Z")],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last TTL change is in the future",
    ],
    "a change a minute ahead, which is believed": [
      [set("facts.before.ttl.changedAt", "2026-03-02T12:01:00.000Z")],
      "fail",
      "release v1.1.0: answers with the TTL before, 3600 s, live until 2026-03-02T13:01:00.000Z",
    ],
    "a time without a zone": [
      [set("facts.before.ttl.changedAt", "2026-03-02T10:00:00")],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last TTL change cannot be read",
    ],
    "a day that does not exist": [
      [set("facts.before.ttl.changedAt", "2026-13-02T10:00:00Z")],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last TTL change cannot be read",
    ],
    "a time that is no time": [
      [set("facts.before.ttl.changedAt", "yesterday")],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last TTL change cannot be read",
    ],
  },
});
