import { unitHardened } from "../../../../policies/gates/units/unit-hardened.ts";
import { set, testGate, unset, without, type Change } from "../../../support/gate-tester.ts";

const path = "/etc/systemd/system/orders-web.service";

/** Says something else in the unit. */
function said(pattern: string | RegExp, other: string): Change {
  return (world) => {
    const files = world.resources["unit"]?.props["files"] as Record<string, { text: string }>;
    const file = files[path];
    if (file === undefined || file.text.replace(pattern, other) === file.text)
      throw new Error(`the sample does not say ${String(pattern)}`);
    file.text = file.text.replace(pattern, other);
  };
}

const subject = "unit orders-web";
const wrong = (key: string): string => `${subject}: ${key}= is not as it must be`;

testGate(unitHardened, {
  needs: ["unit.files", "unit.health"],
  names: ["unit.name"],
  passes: {
    "a low port": [said("CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE")],
    "one that always restarts": [said("Restart=on-failure", "Restart=always")],
    "no port, and so no health": [said(/^SocketBindAllow=.*\n/m, ""), unset("unit.health")],
    "no unit, where there are containers": [without("unit")],
  },
  fails: {
    "a unit of another name": [
      [set("unit.name", "other")],
      "fail",
      "unit other: files holds no unit of its name",
    ],
    "an empty unit": [
      [set("unit.files", { [path]: { text: "", mode: "0644" } })],
      "fail",
      `${subject}: files holds no unit of its name`,
    ],
    "no user": [[said("User=orders\n", "")], "fail", wrong("User")],
    root: [[said("User=orders", "User=root")], "fail", wrong("User")],
    "root by number": [[said("User=orders", "User=0")], "fail", wrong("User")],
    "root after another": [[said("User=orders", "User=orders\nUser=root")], "fail", wrong("User")],
    "new privileges": [
      [said("NoNewPrivileges=yes", "NoNewPrivileges=no")],
      "fail",
      wrong("NoNewPrivileges"),
    ],
    "all capabilities": [
      [said("CapabilityBoundingSet=\n", "")],
      "fail",
      wrong("CapabilityBoundingSet"),
    ],
    "all capabilities but one": [
      [said("CapabilityBoundingSet=", "CapabilityBoundingSet=~CAP_SYS_ADMIN")],
      "fail",
      wrong("CapabilityBoundingSet"),
    ],
    "a writable system": [
      [said("ProtectSystem=strict", "ProtectSystem=no")],
      "fail",
      wrong("ProtectSystem"),
    ],
    "one that stays down": [[said("Restart=on-failure\n", "")], "fail", wrong("Restart")],
    "all memory": [[said("MemoryMax=512M", "MemoryMax=infinity")], "fail", wrong("MemoryMax")],
    "no memory": [[said("MemoryMax=512M", "MemoryMax=0")], "fail", wrong("MemoryMax")],
    "a release by tag": [[said(/@sha256:[0-9a-f]+/, ":v1.1.0")], "fail", wrong("Environment")],
    "a digest one digit short": [
      [said(/(@sha256:[0-9a-f]+)[0-9a-f]"/, '$1"')],
      "fail",
      wrong("Environment"),
    ],
    "two releases": [
      [said('"PORT=8080"', '"RELEASE_IMAGE=registry.example.com/orders/web:latest"')],
      "fail",
      wrong("Environment"),
    ],
    "in another section": [
      [said("[Install]", "[Service]"), said("[Service]\nType", "[Other]\nType")],
      "fail",
      wrong("NoNewPrivileges"),
    ],
    "a line that hides the next one": [
      [said("Type=notify", "Type=notify \\")],
      "fail",
      `${subject}: a line of the unit goes on in the next one`,
    ],
    "a drop-in": [
      [
        (world) => {
          const files = world.resources["unit"]?.props["files"] as Record<string, object>;
          files[`${path}.d/more.conf`] = { text: "[Service]\nUser=root\n", mode: "0644" };
        },
      ],
      "fail",
      `${subject}: files holds a drop-in of the unit`,
    ],
    "a port without a health URL": [
      [unset("unit.health")],
      "fail",
      `${subject}: health names no URL`,
    ],
    "a covered one that is not declared": [
      [set("facts.covers.units", ["orders-web"]), without("unit")],
      "inconclusive",
      "unit orders-web: no declared unit carries this name",
    ],
    "neither unit nor container": [
      [set("facts.covers.services", []), without("unit")],
      "inconclusive",
      "release v1.1.0: it covers no unit, so there is nothing to judge",
    ],
  },
});
