import { sampleNow, testKind, type KindSample } from "../../support/kind-tester.ts";

type Sample = readonly [number, number | null];

const end = sampleNow / 1000;

/** An hour with a sample every minute, 61 in all; `change` says which minutes differ. */
function hour(change: Readonly<Record<number, number | null>> = {}, usual = 0.0005): Sample[] {
  return Array.from({ length: 61 }, (_, minute) => [
    end - 3600 + minute * 60,
    Object.hasOwn(change, minute) ? (change[minute] as number | null) : usual,
  ]);
}

function errors(samples: readonly Sample[], more: Record<string, unknown> = {}): KindSample {
  return { given: { series: { errors: samples } }, ...more };
}

/** Minutes from the first to the last of a value. */
function minutes(first: number, last: number, value: number): Record<number, number> {
  return Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, index) => [first + index, value]),
  );
}

const holdAndAsk = "which is neither fine nor a reason to roll back";

testKind("series-within", {
  requires: {
    series: "errors",
    of: "every",
    over: "1h",
    every: "1m",
    fine: { atMost: "0.1%" },
    rollback: { above: "5%", for: "5m" },
  },
  required:
    "every sample of errors 0.1% or less, over 1 hour or more, with a sample every 1 minute; " +
    "a rollback when it is above 5% for 5 minutes",
  given: { series: { errors: hour() } },
  passes: {
    "just fine in every sample": errors(hour({}, 0.001)),
    "nothing wrong at all": errors(hour({}, 0)),
    "another series that is worse": {
      given: { series: { errors: hour(), warnings: hour({}, 0.9) } },
    },
    "each series where none is named": {
      requires: { series: undefined },
      given: { series: { errors: hour(), warnings: hour() } },
    },
    "times that were written to the millisecond": errors(
      hour().map(([at, value], index) => [at + (index % 2 === 0 ? 0 : 0.0004), value]),
    ),
    "more than was asked for": errors([[end - 3660, 0], ...hour()]),
    "a limit from below": {
      requires: { fine: { atLeast: "99.9%" }, rollback: { below: "95%", for: "5m" } },
      given: { series: { errors: hour({}, 0.999) } },
    },
    "below a limit": { requires: { fine: { below: "0.051%" }, rollback: undefined } },
    "above a limit": {
      requires: { fine: { above: 2 }, rollback: undefined },
      given: { series: { errors: hour({}, 2.001) } },
    },
    "a mean that is fine, with samples that are not": {
      requires: { of: "mean" },
      given: { series: { errors: hour({ 10: 0.02, 11: 0.01 }) } },
    },
    "a mean that a double writes with a rest": {
      requires: { of: "mean", fine: { atMost: 0.3 }, rollback: undefined },
      given: { series: { errors: hour(minutes(0, 59, 0.3), 0.3).slice(0, 61) } },
    },
    "a last sample that is fine, with an earlier one that is not": {
      requires: { of: "last" },
      given: { series: { errors: hour({ 59: 0.02 }) } },
    },
    "a highest sample at the limit": {
      requires: { of: "highest", rollback: { above: "5%" } },
      given: { series: { errors: hour({ 30: 0.001 }) } },
    },
  },
  fails: {
    "one sample between fine and bad": [
      errors(hour({ 30: 0.003 })),
      "inconclusive",
      `hold and ask: errors is 0.3%, ${holdAndAsk}`,
    ],
    "several samples between fine and bad: the worst is told": [
      errors(hour({ 30: 0.003, 31: 0.04, 32: 0.002 })),
      "inconclusive",
      `hold and ask: errors is 4%, ${holdAndAsk}`,
    ],
    "a sample a little over the limit": [
      errors(hour({ 30: 0.0010000001 })),
      "inconclusive",
      `hold and ask: errors is 0.10000001%, ${holdAndAsk}`,
    ],
    "bad for five minutes": [
      errors(hour(minutes(30, 35, 0.06))),
      "fail",
      "roll back: errors was 6%, above 5%, for 5 minutes from 2026-03-02T11:30:00Z",
    ],
    "bad for five minutes at the end, at its worst once": [
      errors(hour({ ...minutes(55, 60, 0.06), 58: 0.5 })),
      "fail",
      "roll back: errors was 50%, above 5%, for 5 minutes from 2026-03-02T11:55:00Z",
    ],
    "bad for a minute less": [
      errors(hour(minutes(30, 34, 0.06))),
      "inconclusive",
      `hold and ask: errors is 6%, ${holdAndAsk}`,
    ],
    "bad for five minutes with one good sample in it": [
      errors(hour({ ...minutes(30, 36, 0.06), 33: 0 })),
      "inconclusive",
      `hold and ask: errors is 6%, ${holdAndAsk}`,
    ],
    "at the limit of bad for five minutes": [
      errors(hour(minutes(30, 35, 0.05))),
      "inconclusive",
      `hold and ask: errors is 5%, ${holdAndAsk}`,
    ],
    "bad for five minutes, and a gap elsewhere": [
      errors(hour(minutes(30, 35, 0.06)).filter((_, minute) => minute !== 50)),
      "fail",
      "roll back: errors was 6%, above 5%, for 5 minutes from 2026-03-02T11:30:00Z",
    ],
    "bad for five minutes with a gap in it": [
      errors(hour(minutes(30, 36, 0.06)).filter((_, minute) => minute !== 33)),
      "inconclusive",
      "errors has no sample for 2 minutes after 2026-03-02T11:32:00Z",
    ],
    "bad for five minutes with one that was not measured in it": [
      errors(hour({ ...minutes(30, 36, 0.06), 33: null })),
      "inconclusive",
      "errors has no value at 2026-03-02T11:33:00Z",
    ],
    "bad once, where once is enough": [
      errors(hour({ 30: 0.06 }), { requires: { rollback: { above: "5%" } } }),
      "fail",
      "roll back: errors was 6%, above 5%, at 2026-03-02T11:30:00Z",
    ],
    "too low for as long": [
      {
        requires: { fine: { atLeast: "99.9%" }, rollback: { below: "95%", for: "5m" } },
        given: { series: { errors: hour({ ...minutes(0, 5, 0.94), 3: 0.9 }, 1) } },
      },
      "fail",
      "roll back: errors was 90%, below 95%, for 5 minutes from 2026-03-02T11:00:00Z",
    ],
    "too low, but not bad": [
      {
        requires: { fine: { atLeast: "99.9%" }, rollback: { below: "95%", for: "5m" } },
        given: { series: { errors: hour({ 2: 0.96, 3: 0.98 }, 1) } },
      },
      "inconclusive",
      `hold and ask: errors is 96%, ${holdAndAsk}`,
    ],
    "not fine, where nothing is a reason to roll back": [
      errors(hour({ 30: 0.06 }), { requires: { rollback: undefined } }),
      "fail",
      "errors is 6%, not 0.1% or less",
    ],
    "in the unit of its limit": [
      errors(hour({ 30: 0.6123456789 }), {
        requires: { fine: { below: "500ms" }, rollback: undefined },
      }),
      "fail",
      "errors is 612.346ms, not below 500ms",
    ],
    "a mean between fine and bad": [
      errors(hour({}, 0.003), { requires: { of: "mean" } }),
      "inconclusive",
      `hold and ask: errors is 0.3%, ${holdAndAsk}`,
    ],
    "a bad mean": [
      errors(hour({}, 0.06), { requires: { of: "mean", rollback: { above: "5%" } } }),
      "fail",
      "roll back: errors was 6%, above 5%",
    ],
    "a mean that is fine, with samples that are bad for long": [
      errors(hour(minutes(30, 35, 0.06), 0), {
        requires: { of: "mean", fine: { atMost: "4%" } },
      }),
      "fail",
      "roll back: errors was 6%, above 5%, for 5 minutes from 2026-03-02T11:30:00Z",
    ],
    "a bad last sample": [
      errors(hour({ 60: 0.06 }), { requires: { of: "last", rollback: { atLeast: "5%" } } }),
      "fail",
      "roll back: errors was 6%, 5% or more",
    ],
    "a bad mean of samples with a gap": [
      errors(
        hour({}, 0.06).filter((_, minute) => minute !== 50),
        { requires: { of: "mean", rollback: { above: "5%" } } },
      ),
      "inconclusive",
      "errors has no sample for 2 minutes after 2026-03-02T11:49:00Z",
    ],
    "no series": [{ given: { series: {} } }, "inconclusive", "series errors is not in the report"],
    "no series where none is named": [
      { requires: { series: undefined }, given: { series: {} } },
      "inconclusive",
      "it holds no series",
    ],
    "another series": [
      { given: { series: { warnings: hour() } } },
      "inconclusive",
      "series errors is not in the report",
    ],
    "one of two series where none is named": [
      {
        requires: { series: undefined },
        given: { series: { errors: hour(), warnings: hour({ 1: 0.003 }) } },
      },
      "inconclusive",
      `hold and ask: warnings is 0.3%, ${holdAndAsk}`,
    ],
    "a series that every object has": [
      { requires: { series: "constructor" } },
      "inconclusive",
      "series constructor is not in the report",
    ],
    "no samples": [errors([]), "inconclusive", "errors has no samples"],
    "one sample": [errors([[end, 0]]), "inconclusive", "errors spans 0 seconds, less than 1 hour"],
    "a value that was not measured": [
      errors(hour({ 60: null })),
      "inconclusive",
      "errors has no value at 2026-03-02T12:00:00Z",
    ],
    "two values that were not measured": [
      errors(hour({ 4: null, 60: null })),
      "inconclusive",
      "errors has no value at 2026-03-02T11:04:00Z, and 1 more fault",
    ],
    "a value below zero": [
      errors(hour({ 1: -1 })),
      "inconclusive",
      "errors is -1 at 2026-03-02T11:01:00Z, which is below zero",
    ],
    "a gap": [
      errors(hour().filter((_, minute) => minute !== 10)),
      "inconclusive",
      "errors has no sample for 2 minutes after 2026-03-02T11:09:00Z",
    ],
    "a gap of a second too much": [
      errors(hour().map(([at, value], minute) => [minute === 60 ? at + 1 : at, value])),
      "inconclusive",
      "errors has no sample for 61 seconds after 2026-03-02T11:59:00Z",
    ],
    "a minute too short": [
      errors(hour().slice(1)),
      "inconclusive",
      "errors spans 59 minutes, less than 1 hour",
    ],
    "an end before that of another series": [
      { given: { series: { errors: hour(), warnings: [...hour(), [end + 61, 0]] } } },
      "inconclusive",
      "errors ends at 2026-03-02T12:00:00Z, before the rest of the report",
    ],
    "samples in another order": [
      errors(hour().toReversed()),
      "inconclusive",
      "the samples of errors are not in the order of their times",
    ],
    "two samples of one time": [
      errors([...hour(), [end, 0]]),
      "inconclusive",
      "the samples of errors are not in the order of their times",
    ],
    "a time that no calendar has": [
      errors([[1e300, null]]),
      "inconclusive",
      "errors has no value at second 1e+300, and 1 more fault",
    ],
    "more series than anybody reads, of which the last is bad": [
      {
        requires: { series: undefined },
        given: {
          series: {
            ...Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`s${index}`, []])),
            bad: hour(minutes(0, 5, 0.06)),
          },
        },
      },
      "fail",
      "16 more series are not as they must be",
    ],
  },
  refuses: {
    "no limit": { fine: {} },
    "two limits": { fine: { atMost: 1, below: 2 }, rollback: undefined },
    "a limit below zero": { fine: { atMost: -1 } },
    "a limit in words": { fine: { atMost: "little" } },
    "nothing of what is fine": { fine: undefined },
    "no limit of what is bad": { rollback: { for: "5m" } },
    "two limits of what is bad": { rollback: { above: 1, below: 2 } },
    "a bad number within the fine ones": { rollback: { above: "0.05%" } },
    "one number that is both": { rollback: { atLeast: "0.1%" } },
    "fine and bad on the same side": { rollback: { atMost: "5%" } },
    "fine and bad on the same other side": {
      fine: { atLeast: 1 },
      rollback: { above: 2 },
    },
    "bad for longer than is measured": { rollback: { above: "5%", for: "2h" } },
    "a distance that is longer than the whole": { every: "2h" },
    "no length": { over: undefined },
    "no distance": { every: undefined },
    "a length without a unit": { over: "60" },
    "another aggregate": { of: "median" },
    "an empty name": { series: " " },
  },
  hostile: (name) => ({
    requires: { series: undefined },
    given: { series: { [name === "__proto__" ? "proto" : name]: hour({ 30: 0.003 }) } },
  }),
});
