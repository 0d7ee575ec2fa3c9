import { serviceHealthChecked } from "../../../../policies/gates/services/service-health-checked.ts";
import { set, testGate, unset } from "../../../support/gate-tester.ts";

testGate(serviceHealthChecked, {
  needs: [
    "facts.covers.services",
    "container.healthcheck",
    "container.healthcheck.tests",
    "container.healthcheck.interval",
    "container.healthcheck.timeout",
    "container.healthcheck.retries",
    "container.wait",
    "container.restart",
    "container.memory",
  ],
  names: ["container.name"],
  passes: {
    "a command for the shell": [
      set("container.healthcheck.tests", ["CMD-SHELL", "pg_isready || exit 1"]),
    ],
    "durations in several units": [
      set("container.healthcheck.interval", "1m30s"),
      set("container.healthcheck.timeout", "500ms"),
    ],
    "one try": [set("container.healthcheck.retries", 1)],
    "restarts when it fails": [set("container.restart", "on-failure")],
    "restarts always": [set("container.restart", "always")],
  },
  fails: {
    "no healthcheck": [
      [unset("container.healthcheck")],
      "fail",
      "container flagship-green-api: healthcheck is not set",
    ],
    "the image's healthcheck switched off": [
      [set("container.healthcheck.tests", ["NONE"])],
      "fail",
      "container flagship-green-api: healthcheck.tests holds no command",
    ],
    "a form without a command": [
      [set("container.healthcheck.tests", ["CMD"])],
      "fail",
      "container flagship-green-api: healthcheck.tests holds no command",
    ],
    "an empty command": [
      [set("container.healthcheck.tests", ["CMD", ""])],
      "fail",
      "container flagship-green-api: healthcheck.tests holds no command",
    ],
    "a command without a form": [
      [set("container.healthcheck.tests", ["wget", "http://127.0.0.1"])],
      "fail",
      "container flagship-green-api: healthcheck.tests holds no command",
    ],
    "an interval of zero, which means the image's": [
      [set("container.healthcheck.interval", "0s")],
      "fail",
      "container flagship-green-api: healthcheck.interval is 0s",
    ],
    "a timeout without a unit": [
      [set("container.healthcheck.timeout", "2")],
      "fail",
      "container flagship-green-api: healthcheck.timeout is another text",
    ],
    "no try": [
      [set("container.healthcheck.retries", 0)],
      "fail",
      "container flagship-green-api: healthcheck.retries is 0",
    ],
    "not waited for": [
      [set("container.wait", false)],
      "fail",
      "container flagship-green-api: wait is false",
    ],
    "no restart": [
      [set("container.restart", "no")],
      "fail",
      "container flagship-green-api: restart is no",
    ],
    "no memory limit": [
      [set("container.memory", 0)],
      "fail",
      "container flagship-green-api: memory is 0",
    ],
  },
});
