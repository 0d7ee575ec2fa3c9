import { testKind } from "../../support/kind-tester.ts";

testKind("metrics-within", {
  requires: {
    metrics: {
      http_req_duration: { "p(95)": { most: 500 } },
      http_reqs: { count: { least: 1000 }, rate: { least: 20, most: 40 } },
    },
  },
  required:
    "http_req_duration p(95) of 500 or less, http_reqs count of 1000 or more, " +
    "http_reqs rate of 20 to 40 and every threshold of the tool passed",
  given: {
    tool: { name: "k6" },
    metrics: {
      http_req_duration: { "p(95)": 500, avg: 9000 },
      http_reqs: { count: 1000, rate: 20 },
    },
    thresholds: [{ metric: "http_req_duration", expression: "p(95)<=500", passed: true }],
  },
  passes: {
    "the other end of a range": {
      given: {
        metrics: { http_req_duration: { "p(95)": 0 }, http_reqs: { count: 5000, rate: 40 } },
      },
    },
    "no thresholds where nobody asks for them": {
      requires: { thresholdsPassed: false },
      given: { thresholds: [] },
    },
    "a failed threshold that nobody asks for": {
      requires: { thresholdsPassed: false },
      given: { thresholds: [{ metric: "http_reqs", expression: "count>1", passed: false }] },
    },
  },
  fails: {
    "a little too much": [
      {
        requires: { metrics: { http_req_duration: { "p(95)": { most: 499.999 } } } },
      },
      "fail",
      "http_req_duration p(95) is 500, over 499.999",
    ],
    "a little too little": [
      { requires: { metrics: { http_reqs: { count: { least: 1001 } } } } },
      "fail",
      "http_reqs count is 1000, under 1001",
    ],
    "over the end of a range": [
      { requires: { metrics: { http_reqs: { rate: { least: 5, most: 19 } } } } },
      "fail",
      "http_reqs rate is 20, over 19",
    ],
    "nothing of what must be zero": [
      { requires: { metrics: { http_reqs: { count: { most: 0 } } } } },
      "fail",
      "http_reqs count is 1000, over 0",
    ],
    "no thresholds": [
      { given: { thresholds: [] } },
      "inconclusive",
      "the report judges no threshold",
    ],
    "no such metric": [
      { requires: { metrics: { checks: { rate: { least: 1 } } } } },
      "inconclusive",
      "checks rate is not in the report",
    ],
    "no such statistic": [
      { requires: { metrics: { http_reqs: { "p(99)": { most: 1 } } } } },
      "inconclusive",
      "http_reqs p(99) is not in the report",
    ],
    "a metric that every object has": [
      { requires: { metrics: { constructor: { length: { least: 1 } } } } },
      "inconclusive",
      "constructor length is not in the report",
    ],
    "no metrics": [
      { given: { metrics: {} } },
      "inconclusive",
      "http_req_duration p(95) is not in the report",
    ],
    "less than nothing": [
      {
        requires: { metrics: { http_reqs: { count: { most: 5 } } } },
        given: { metrics: { http_reqs: { count: -1 } } },
      },
      "inconclusive",
      "http_reqs count is -1, which is below zero",
    ],
    "failed thresholds": [
      {
        given: {
          thresholds: [
            { metric: "http_req_duration", expression: "p(95)<=500", passed: true },
            { metric: "http_req_failed", expression: "rate<0.01", passed: false },
            { metric: "checks", expression: "rate>0.9", passed: false },
          ],
        },
      },
      "fail",
      "2 failed thresholds: http_req_failed rate<0.01 and checks rate>0.9",
    ],
    "one absent and one too much": [
      {
        requires: {
          metrics: { checks: { rate: { least: 1 } }, http_reqs: { count: { most: 0 } } },
        },
      },
      "fail",
      "checks rate is not in the report",
    ],
  },
  refuses: {
    "no statistic of a metric": { metrics: { http_reqs: {} } },
    "no limit": { metrics: { http_reqs: { count: {} } } },
    "an unknown limit": { metrics: { http_reqs: { count: { most: 1, equal: 1 } } } },
    "a limit below zero": { metrics: { http_reqs: { count: { most: -1 } } } },
    "a lower limit below zero": { metrics: { http_reqs: { count: { least: -1 } } } },
    "a limit that is no number": { metrics: { http_reqs: { count: { most: Number.NaN } } } },
    "a limit beyond every number": { metrics: { http_reqs: { count: { most: Infinity } } } },
    "a range that nothing lies in": { metrics: { http_reqs: { count: { most: 1, least: 2 } } } },
    "a number for limits": { metrics: { http_reqs: { count: 5 } } },
    "yes in words": { thresholdsPassed: "yes" },
    "no metrics": { metrics: undefined },
  },
  hostile: (name) => ({
    requires: {
      metrics: {
        [name.trim() === "" || name === "__proto__" ? "metric" : name]: { avg: { most: 1 } },
      },
    },
    given: { thresholds: [{ metric: name, expression: name, passed: false }] },
  }),
});
