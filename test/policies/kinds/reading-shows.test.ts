import { ago, testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

const value = {
  status: "available",
  encrypted: true,
  copies: 2,
  latest: { completedAt: ago(3600), state: "COMPLETED" },
  regions: ["eu-central-1", "eu-west-1"],
  pending: [],
  errors: {},
  text: secretText,
  absent: null,
};

const coversNothing = {
  databases: [],
  containerDatabases: [],
  backups: [],
  buckets: [],
  archives: [],
  units: [],
  services: [],
  secrets: [],
  alarms: [],
};

/** Asks one thing of one field. */
function asks(path: string, check: unknown, other?: unknown) {
  const given = { value: other === undefined ? value : { ...value, [path]: other } };
  return { requires: { fields: { [path]: check } }, given };
}

testKind("reading-shows", {
  requires: {
    about: "databases",
    fields: {
      status: { is: "available" },
      encrypted: { is: true },
      copies: { atLeast: 2 },
      "latest.completedAt": { within: "1h" },
      "latest.state": { oneOf: ["COMPLETED", "PARTIAL"] },
      regions: { includes: "eu-west-1" },
      pending: { empty: true },
    },
  },
  required:
    "a database of this release, of which status is available, encrypted is true, " +
    "copies is 2 or more, latest.completedAt is within the last 1 hour, " +
    "latest.state is one of COMPLETED and PARTIAL, regions includes eu-west-1 and " +
    "pending is empty",
  given: { kind: "rds-instance", subject: "orders", at: ago(0), value },
  passes: {
    "a reading about nothing that is covered": {
      requires: { about: undefined },
      given: { subject: secretText },
    },
    "a reading about the subject that is asked for": { requires: { subject: { is: "orders" } } },
    "the oldest reading": { given: { at: ago(900) } },
    "a reading by a clock that is a little ahead": { given: { at: ago(-60) } },
    "a time in another zone": asks("time", { within: "1h" }, "2026-03-02T12:30:00+01:00"),
    "a time by a clock that is a little ahead": asks("time", { within: "1s" }, ago(-60)),
    "two things of one field": asks("copies", { atLeast: 1, atMost: 2 }),
    "a list that holds something": asks("regions", { empty: false }),
    "a number to the boundary": asks("copies", { atMost: 2 }),
    "a number that is nothing": asks("copies", { atMost: 0 }, 0),
    "a number that is equal": asks("copies", { is: 2 }),
    "one number of several": asks("copies", { oneOf: [1, 2] }),
    "one of several types": asks("copies", { oneOf: ["two", 2, true] }),
    "an empty record": asks("errors", { empty: true }),
    "an entry below a name with dots": {
      requires: { fields: { "alarms.api.errors.state": { is: "OK" } } },
      given: { value: { alarms: { "api.errors": { state: "OK" } } } },
    },
    "an entry whose own name has dots": {
      requires: { fields: { "json.checks.database.ok": { is: true } } },
      given: { value: { json: { "checks.database.ok": true } } },
    },
  },
  fails: {
    "a reading about another subject": [
      { requires: { about: undefined, subject: { is: "orders" } }, given: { subject: "drafts" } },
      "fail",
      "it is about drafts, which is another text",
    ],
    "an entry below another name with dots": [
      {
        requires: { fields: { "alarms.api.errors.state": { is: "OK" } } },
        given: { value: { alarms: { "api.errors.old": { state: "OK" }, api: null } } },
      },
      "inconclusive",
      "alarms.api.errors.state is not in the reading",
    ],
    "another text": [
      asks("status", { is: "available" }, secretText),
      "fail",
      "status is another text",
    ],
    "an empty text": [asks("status", { is: "available" }, ""), "fail", "status is empty"],
    "no instead of yes": [asks("encrypted", { is: true }, false), "fail", "encrypted is false"],
    "another number": [asks("copies", { is: 3 }), "fail", "copies is 2"],
    "one too few": [asks("copies", { atLeast: 3 }), "fail", "copies is 2"],
    "one too many": [asks("copies", { atMost: 1 }), "fail", "copies is 2"],
    "none of several": [
      asks("status", { oneOf: ["available", "ready"] }, secretText),
      "fail",
      "status is another text",
    ],
    "a second too old": [asks("time", { within: "1h" }, ago(3601)), "fail", `time is ${ago(3601)}`],
    "a list without it": [
      asks("regions", { includes: "us-east-1" }),
      "fail",
      "regions does not include us-east-1",
    ],
    "a list with a part of it": [
      asks("regions", { includes: "eu" }),
      "fail",
      "regions does not include eu",
    ],
    "an empty list": [
      asks("regions", { includes: "eu-west-1" }, []),
      "fail",
      "regions does not include eu-west-1",
    ],
    "a list that is not empty": [
      asks("regions", { empty: true }),
      "fail",
      "regions holds 2 entries",
    ],
    "a record that is not empty": [
      asks("latest", { empty: true }, { [secretText]: 1 }),
      "fail",
      "latest holds 1 entry",
    ],
    "a time in the future": [
      asks("time", { within: "1h" }, ago(-61)),
      "inconclusive",
      "time is in the future",
    ],
    "a field that is not there": [
      asks("stauts", { is: "available" }),
      "inconclusive",
      "stauts is not in the reading",
    ],
    "a field that is nothing": [
      asks("absent", { empty: true }),
      "inconclusive",
      "absent is not in the reading",
    ],
    "a field that every object has": [
      asks("constructor.name", { is: "Object" }),
      "inconclusive",
      "constructor.name is not in the reading",
    ],
    "another field that every object has": [
      asks("toString", { is: "text" }),
      "inconclusive",
      "toString is not in the reading",
    ],
    "a field of a text": [
      asks("status.length", { is: 9 }),
      "inconclusive",
      "status.length is not in the reading",
    ],
    "an entry of a list": [
      asks("regions.0", { is: "eu-central-1" }),
      "inconclusive",
      "regions.0 is not in the reading",
    ],
    "yes in words": [
      asks("encrypted", { is: true }, secretText),
      "inconclusive",
      "encrypted is a text, where true or false is required",
    ],
    "a number for a text": [
      asks("status", { is: "available" }, 1),
      "inconclusive",
      "status is 1, where a text is required",
    ],
    "a list for one of several": [
      asks("status", { oneOf: ["available", 1] }, []),
      "inconclusive",
      "status is a list, where a text or a number is required",
    ],
    "a number in words": [
      asks("copies", { atLeast: 1 }, "2"),
      "inconclusive",
      "copies is a text, where a number is required",
    ],
    "no number": [
      asks("copies", { atMost: 1 }, Number.NaN),
      "inconclusive",
      "copies is not a number, where a number is required",
    ],
    "a number beyond all": [
      asks("copies", { atLeast: 1 }, Infinity),
      "inconclusive",
      "copies is not a number, where a number is required",
    ],
    "less than nothing": [
      asks("lag", { atMost: 5 }, -1),
      "inconclusive",
      "lag is -1, which is below zero",
    ],
    "less than nothing, where much is required": [
      asks("lag", { atLeast: 0 }, -1),
      "inconclusive",
      "lag is -1, which is below zero",
    ],
    "a time without a zone": [
      asks("time", { within: "1h" }, "2026-03-02T11:59:00"),
      "inconclusive",
      "time is a text, where a time is required",
    ],
    "a day that there is not": [
      asks("time", { within: "1h" }, "2026-02-30T11:59:00Z"),
      "inconclusive",
      "time is a text, where a time is required",
    ],
    "a time as a number": [
      asks("time", { within: "1h" }, 1_772_452_800_000),
      "inconclusive",
      "time is 1772452800000, where a time is required",
    ],
    "a text for a list": [
      asks("regions", { includes: "eu" }, "eu"),
      "inconclusive",
      "regions is a text, where a list is required",
    ],
    "a record for a list": [
      asks("regions", { includes: "eu" }, { eu: true }),
      "inconclusive",
      "regions is an object, where a list is required",
    ],
    "nothing (zero) for a list": [
      asks("pending", { empty: true }, 0),
      "inconclusive",
      "pending is 0, where a list is required",
    ],
    "an empty text for a list": [
      asks("pending", { empty: true }, ""),
      "inconclusive",
      "pending is empty, where a list is required",
    ],
    "a reading about another database": [
      { given: { subject: "reports" } },
      "inconclusive",
      "it is about reports, which this release does not cover",
    ],
    "a reading about something else that is covered": [
      { given: { subject: "orders-vault" } },
      "inconclusive",
      "it is about orders-vault, which this release does not cover",
    ],
    "a release that covers nothing of it": [
      { facts: { covers: coversNothing } },
      "inconclusive",
      "it is about orders, which this release does not cover",
    ],
    "a reading that is a second too old": [
      { given: { at: ago(901) } },
      "inconclusive",
      `it is from ${ago(901)}, older than 15 minutes`,
    ],
    "a reading of the future": [
      { given: { at: ago(-61) } },
      "inconclusive",
      `it is from the future (${ago(-61)})`,
    ],
    "a reading of no time": [
      { given: { at: "yesterday" } },
      "inconclusive",
      "it does not say when it was read",
    ],
    "a reading that did not come about": [
      { given: { value: undefined, problem: "no answer" } },
      "inconclusive",
      "it could not be read",
    ],
    "a reading with a problem beside its value": [
      { given: { problem: "no answer" } },
      "inconclusive",
      "it could not be read",
    ],
    "a reading without a value": [
      { given: { value: undefined } },
      "inconclusive",
      "it could not be read",
    ],
    "a reading whose value is a list": [
      { given: { value: [] } },
      "inconclusive",
      "it could not be read",
    ],
  },
  refuses: {
    "a noun that is none": { about: "queues" },
    "no fields": { fields: undefined },
    "nothing of a field": { fields: { status: {} } },
    "an unknown check": { fields: { copies: { equals: 2 } } },
    "an empty text": { fields: { status: { is: "" } } },
    "one of none": { fields: { status: { oneOf: [] } } },
    "one of two that are equal": { fields: { status: { oneOf: ["a", "a"] } } },
    "at least less than nothing": { fields: { copies: { atLeast: -1 } } },
    "at most no number": { fields: { copies: { atMost: Number.NaN } } },
    "a time in words": { fields: { time: { within: "7 days" } } },
    "a time in seconds": { fields: { time: { within: 3600 } } },
    "no time": { fields: { time: { within: "0h" } } },
    "a list that holds an empty text": { fields: { regions: { includes: "" } } },
    "a text for a field": { fields: { status: "available" } },
    "a field without a name": { fields: { " ": { is: 1 } } },
  },
  hostile: (name) => {
    const path = name.trim() === "" || name === "__proto__" ? "path" : name;
    return {
      requires: { about: undefined, fields: { [path]: { is: path }, regions: { includes: path } } },
    };
  },
});
