import { testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

function found(...entries: (readonly [rule: string, level: string])[]) {
  return {
    given: { result: entries.map(([rule, level]) => ({ rule, level, location: secretText })) },
  };
}

testKind("findings-within", {
  requires: { error: 0, warning: 1, note: 2 },
  required: "no more than 0 errors, 1 warning and 2 notes",
  given: {
    tool: { name: "linter" },
    ...found(["no-eval", "warning"], ["todo", "note"], ["todo", "note"]).given,
  },
  passes: {
    "nothing found": found(),
    "many of no level": found(["style", "none"], ["style", "none"], ["style", "none"]),
    "many where there is no limit": {
      requires: { warning: undefined, note: undefined },
      ...found(["a", "warning"], ["b", "warning"], ["a", "note"], ["b", "note"], ["c", "note"]),
    },
  },
  fails: {
    "one error": [found(["sql-injection", "error"]), "fail", "1 error: sql-injection"],
    "one warning too many": [
      found(["no-eval", "warning"], ["weak-hash", "warning"]),
      "fail",
      "2 warnings: no-eval and weak-hash",
    ],
    "one rule too often": [
      found(["todo", "note"], ["todo", "note"], ["todo", "note"]),
      "fail",
      "3 notes: todo",
    ],
  },
  refuses: {
    "nothing of errors": { error: undefined },
    "half a warning": { warning: 0.5 },
    "a level that does not count": { none: 0 },
  },
  hostile: (name) => found([name, "error"], [`${name}2`.slice(-512), "error"]),
});
