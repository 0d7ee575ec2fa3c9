import { sampleNow, testKind, type KindSample } from "../../support/kind-tester.ts";

type Sample = readonly [number, number | null];

/** Ten minutes with a probe every 30 seconds, 21 in all; `bad` are the numbers of those that failed. */
function probes(bad: readonly number[] = [], failed: number | null = 0): Sample[] {
  return Array.from({ length: 21 }, (_, index) => [
    sampleNow / 1000 - 600 + index * 30,
    bad.includes(index) ? failed : 1,
  ]);
}

const up = (samples: readonly Sample[]): KindSample => ({ given: { series: { up: samples } } });

testKind("streak-within", {
  requires: { series: "up", good: 1, mostInARow: 3, over: "10m", every: "30s" },
  required:
    "no more than 3 samples in a row of up other than 1, over 10 minutes or more, " +
    "with a sample every 30 seconds",
  given: { series: { up: probes() } },
  passes: {
    "three in a row": up(probes([4, 5, 6])),
    "three in a row, twice": up(probes([4, 5, 6, 8, 9, 10])),
    "three in a row at both ends": up(probes([0, 1, 2, 18, 19, 20])),
    "good is 1 where nothing is said of it": { requires: { good: undefined } },
    "good is something else": {
      requires: { good: "200ms" },
      given: { series: { up: probes().map(([at]) => [at, 0.2]) } },
    },
    "none in a row where none may be": { requires: { mostInARow: 0 } },
    "each series where none is named": {
      requires: { series: undefined },
      given: { series: { up: probes(), down: probes([1, 3, 5]) } },
    },
  },
  fails: {
    "four in a row": [
      up(probes([4, 5, 6, 7])),
      "fail",
      "roll back: 4 samples in a row of up were not 1, from 2026-03-02T11:52:00Z",
    ],
    "four in a row at the end": [
      up(probes([17, 18, 19, 20])),
      "fail",
      "roll back: 4 samples in a row of up were not 1, from 2026-03-02T11:58:30Z",
    ],
    "the longest of several streaks": [
      up(probes([0, 1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 13, 14])),
      "fail",
      "roll back: 5 samples in a row of up were not 1, from 2026-03-02T11:52:30Z",
    ],
    "one, where none may be": [
      { requires: { mostInARow: 0 }, ...up(probes([3])) },
      "fail",
      "roll back: 1 sample in a row of up was not 1, from 2026-03-02T11:51:30Z",
    ],
    "more than good": [
      up(probes([4, 5, 6, 7], 2)),
      "fail",
      "roll back: 4 samples in a row of up were not 1, from 2026-03-02T11:52:00Z",
    ],
    "four in a row, and a gap elsewhere": [
      up(probes([4, 5, 6, 7]).toSpliced(15, 1)),
      "fail",
      "roll back: 4 samples in a row of up were not 1, from 2026-03-02T11:52:00Z",
    ],
    "a gap in a streak": [
      up(probes([4, 5, 6, 7, 8]).toSpliced(6, 1)),
      "inconclusive",
      "up has no sample for 1 minute after 2026-03-02T11:52:30Z",
    ],
    "one that was not measured": [
      up(probes([4], null)),
      "inconclusive",
      "up has no value at 2026-03-02T11:52:00Z",
    ],
    "less than nothing": [
      up(probes([4], -1)),
      "inconclusive",
      "up is -1 at 2026-03-02T11:52:00Z, which is below zero",
    ],
    "too short": [
      up(probes().slice(0, -1)),
      "inconclusive",
      "up spans 570 seconds, less than 10 minutes",
    ],
    "no samples": [up([]), "inconclusive", "up has no samples"],
    "no series": [{ given: { series: {} } }, "inconclusive", "series up is not in the report"],
    "one of two series where none is named": [
      {
        requires: { series: undefined },
        given: { series: { up: probes(), down: probes([1, 2, 3, 4]) } },
      },
      "fail",
      "roll back: 4 samples in a row of down were not 1, from 2026-03-02T11:50:30Z",
    ],
  },
  refuses: {
    "half a sample": { mostInARow: 0.5 },
    "nothing of how many": { mostInARow: undefined },
    "good in words": { good: "yes" },
    "a distance that is longer than the whole": { every: "1h" },
    "no length": { over: undefined },
    "no distance": { every: undefined },
  },
  hostile: (name) => ({
    requires: { series: undefined },
    given: { series: { [name === "__proto__" ? "proto" : name]: probes([1, 2, 3, 4]) } },
  }),
});
