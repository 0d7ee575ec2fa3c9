import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { ago, testKind, type KindSample } from "../../support/kind-tester.ts";
import { readyFacts } from "../../support/samples.ts";

const { before } = readyFacts;

/** The phase `cutover` of the release ended so many seconds ago. */
function ended(seconds: number): KindSample {
  return { facts: { before: { ...before, times: { cutover: ago(seconds) } } } };
}

function lowered(ttl: typeof before.ttl): KindSample {
  return { requires: { since: "lowered-ttl" }, facts: { before: { ...before, ttl } } };
}

function recorded(record: typeof before.record): KindSample {
  return { requires: { since: "record" }, facts: { before: { ...before, record } } };
}

const day = 86_400;
const late = ago(day - 1);

testKind("time-passed", {
  requires: { since: "cutover", atLeast: "24h" },
  required: "1 day or more since the end of cutover",
  given: { ...nothingAttested },
  ...ended(day),
  passes: {
    "much more": ended(30 * day),
    "since the TTL was lowered": lowered({
      seconds: 60,
      previousSeconds: 3600,
      changedAt: ago(day),
    }),
    "since the release was recorded": recorded({
      release: readyFacts.release.version,
      at: ago(day),
      verdicts: {},
    }),
  },
  fails: {
    "a second less": [
      ended(day - 1),
      "fail",
      `cutover of v1.1.0 ended at ${late}; 1 day will have passed at 2026-03-02T12:01Z`,
    ],
    "none at all": [
      { requires: { atLeast: "90s" }, ...ended(0) },
      "fail",
      `cutover of v1.1.0 ended at ${ago(0)}; 90 seconds will have passed at 2026-03-02T12:02Z`,
    ],
    "a clock that is a minute ahead": [
      { requires: { atLeast: "1m" }, ...ended(-60) },
      "fail",
      `cutover of v1.1.0 ended at ${ago(-60)}; 1 minute will have passed at 2026-03-02T12:02Z`,
    ],
    "a time to come": [
      ended(-61),
      "inconclusive",
      `cutover of v1.1.0 ended in the future, at ${ago(-61)}`,
    ],
    "another phase ended": [
      { requires: { since: "observe" }, ...ended(day) },
      "inconclusive",
      "no observe of v1.1.0 has ended yet",
    ],
    "the phase of another release": [
      {
        facts: {
          before: { ...before, release: "v1.0.0", times: { cutover: ago(30 * day) } },
        },
      },
      "inconclusive",
      "no cutover of v1.1.0 has ended yet",
    ],
    "a stack that never ran": [
      { facts: { before: { ...before, release: null, times: {} } } },
      "inconclusive",
      "no cutover of v1.1.0 has ended yet",
    ],
    "a time that is none": [
      { facts: { before: { ...before, times: { cutover: "yesterday" } } } },
      "inconclusive",
      "the time when cutover of v1.1.0 ended cannot be read",
    ],
    "a TTL that was lowered too late": [
      lowered({ seconds: 60, previousSeconds: 3600, changedAt: late }),
      "fail",
      `the TTL was lowered at ${late}; 1 day will have passed at 2026-03-02T12:01Z`,
    ],
    "a TTL that was raised": [
      lowered({ seconds: 3600, previousSeconds: 60, changedAt: ago(30 * day) }),
      "inconclusive",
      "the TTL was not lowered yet",
    ],
    "a TTL that is as it was": [
      lowered({ seconds: 60, previousSeconds: 60, changedAt: ago(30 * day) }),
      "inconclusive",
      "the TTL was not lowered yet",
    ],
    "no TTL": [lowered(null), "inconclusive", "the TTL was not lowered yet"],
    "a record that is too young": [
      recorded({ release: "v1.1.0", at: late, verdicts: {} }),
      "fail",
      `v1.1.0 was recorded at ${late}; 1 day will have passed at 2026-03-02T12:01Z`,
    ],
    "the record of another release": [
      recorded({ release: "v1.0.0", at: ago(30 * day), verdicts: {} }),
      "inconclusive",
      "there is no release record of v1.1.0 yet",
    ],
    "no record": [recorded(null), "inconclusive", "there is no release record of v1.1.0 yet"],
  },
  refuses: {
    "a phase that there is none of": { since: "freeze" },
    "a length of time without a unit": { atLeast: "24" },
    "nothing of how long": { atLeast: undefined },
    "nothing of since when": { since: undefined },
    "no time at all": { atLeast: "0h" },
  },
  hostile: (name) => ({ facts: { before: { ...before, times: { cutover: name } } } }),
});
