import { testKind } from "../../support/kind-tester.ts";

function compared(
  ...entries: (readonly [name: string, expected: number, actual: number, tolerance?: number])[]
) {
  return {
    given: {
      fixtures: entries.map(([name, expected, actual, tolerance = 1]) => ({
        name,
        expected,
        actual,
        tolerance,
      })),
    },
  };
}

testKind("comparison-within", {
  requires: { fixtures: ["revenue", "refunds"], tolerance: 0.5 },
  required: "a difference of no more than 0.5 in 2 fixtures: revenue and refunds",
  given: compared(["revenue", 100, 100.5], ["refunds", -3, -3.5], ["others", 0, 99]).given,
  passes: {
    "equal numbers, where nothing else is allowed": {
      requires: { tolerance: 0 },
      ...compared(["revenue", 0.1, 0.1, 0], ["refunds", 0, -0, 0]),
    },
    "the report's own tolerance, to the boundary": compared(
      ["revenue", 100, 100.25, 0.25],
      ["refunds", 1, 1],
    ),
    "a difference of decimals that comes out small": {
      requires: { tolerance: 0.1 },
      ...compared(["revenue", 1.1, 1.2], ["refunds", 1, 1]),
    },
  },
  fails: {
    "a little too much": [
      compared(["revenue", 100, 100.75], ["refunds", 1, 1]),
      "fail",
      "1 fixture differs: revenue by 0.75",
    ],
    "too much on the other side": [
      compared(["revenue", 100, 99.25], ["refunds", 1, 2]),
      "fail",
      "2 fixtures differ: revenue by 0.75 and refunds by 1",
    ],
    "more than the report's own tolerance": [
      compared(["revenue", 100, 100.5, 0.25], ["refunds", 1, 1]),
      "fail",
      "1 fixture differs: revenue by 0.5",
    ],
    "a report that is content with much": [
      compared(["revenue", 100, 101, 1000], ["refunds", 1, 1]),
      "fail",
      "1 fixture differs: revenue by 1",
    ],
    "a fixture that is missing": [
      compared(["revenue", 100, 100]),
      "fail",
      "1 fixture is not in the report: refunds",
    ],
    "a fixture in other letters": [
      compared(["revenue", 100, 100], ["Refunds", 1, 1]),
      "fail",
      "1 fixture is not in the report: refunds",
    ],
    "a fixture that agrees only once of twice": [
      compared(["revenue", 100, 100], ["revenue", 100, 200], ["refunds", 1, 1]),
      "fail",
      "1 fixture differs: revenue by 100",
    ],
    "a difference beyond every number": [
      compared(["revenue", -1.7e308, 1.7e308], ["refunds", 1, 1]),
      "fail",
      "1 fixture differs: revenue by Infinity",
    ],
    "a difference of decimals that comes out large": [
      { requires: { tolerance: 0.1 }, ...compared(["revenue", 0.3, 0.4], ["refunds", 1, 1]) },
      "fail",
      "1 fixture differs: revenue by 0.10000000000000003",
    ],
  },
  refuses: {
    "a fixture twice": { fixtures: ["revenue", "revenue"] },
    "a text for a list": { fixtures: "revenue" },
    "no tolerance": { tolerance: undefined },
    "a tolerance in words": { tolerance: "0.5" },
    "no fixtures": { fixtures: undefined },
  },
  hostile: (name) => {
    const fixture = name.trim() === "" ? "fixture" : name.trim();
    return {
      requires: { fixtures: ["missing", fixture] },
      ...compared([fixture, 1, 2e300]),
    };
  },
});
