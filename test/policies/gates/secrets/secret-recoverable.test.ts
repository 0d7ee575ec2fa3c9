import { secretRecoverable } from "../../../../policies/gates/secrets/secret-recoverable.ts";
import { another, set, testGate, without } from "../../../support/gate-tester.ts";

const days = "secret.recoveryWindowInDays";

testGate(secretRecoverable, {
  needs: [days],
  names: ["secret.name"],
  passes: {
    "the required days": [set(days, 7)],
    "no secret": [set("facts.covers.secrets", []), without("secret")],
  },
  fails: {
    "one day short": [[set(days, 6)], "fail", "secret orders/jwt: recoveryWindowInDays is 6"],
    "gone at once": [[set(days, 0)], "fail", "secret orders/jwt: recoveryWindowInDays is 0"],
    "a second secret that says nothing": [
      [another("secret", { name: "second", recoveryWindowInDays: undefined })],
      "fail",
      "secret second: recoveryWindowInDays is not set",
    ],
    "no secret, though it is covered": [
      [without("secret")],
      "inconclusive",
      "secret orders/jwt: no declared secret carries this name",
    ],
  },
});
