import { serviceHardened } from "../../../../policies/gates/services/service-hardened.ts";
import { another, set, testGate, unset } from "../../../support/gate-tester.ts";

const drops = "container.capabilities.drops";
const adds = "container.capabilities.adds";
const size = "container.logOpts.max-size";

testGate(serviceHardened, {
  needs: [
    "facts.covers.services",
    "container.capabilities",
    drops,
    "container.securityOpts",
    "container.logOpts",
  ],
  names: ["container.name"],
  mayRead: ["container.privileged"],
  passes: {
    "not privileged, and says so": [set("container.privileged", false)],
    "what an image needs to give up root": [
      set(adds, ["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"]),
    ],
    "names as the daemon writes them": [set(drops, ["all"]), set(adds, ["CAP_SETUID"])],
    "one dropped twice": [set(drops, ["NET_RAW", "ALL"])],
    "the long form": [set("container.securityOpts", ["label=type:x", "no-new-privileges:true"])],
    "one byte of log": [set(size, "1")],
    "a log of a gigabyte, in several files": [
      set("container.logOpts", { "max-size": "1g", "max-file": "3" }),
    ],
  },
  fails: {
    privileged: [
      [set("container.privileged", true)],
      "fail",
      "container flagship-green-api: privileged is true",
    ],
    "privileged in words": [
      [set("container.privileged", "false")],
      "fail",
      "container flagship-green-api: privileged is a text",
    ],
    "no capabilities said": [
      [unset("container.capabilities")],
      "fail",
      "container flagship-green-api: capabilities is not set",
    ],
    "some dropped": [
      [set(drops, ["NET_RAW", "SYS_ADMIN"])],
      "fail",
      "container flagship-green-api: capabilities.drops does not hold ALL",
    ],
    "the host's administration given back": [
      [set(adds, ["SETUID", "SYS_ADMIN"])],
      "fail",
      "container flagship-green-api: capabilities.adds holds SYS_ADMIN",
    ],
    "all given back": [
      [set(adds, ["ALL"])],
      "fail",
      "container flagship-green-api: capabilities.adds holds ALL",
    ],
    "something that is no capability": [
      [set(adds, [7])],
      "fail",
      "container flagship-green-api: capabilities.adds holds no name",
    ],
    "new privileges": [
      [set("container.securityOpts", ["no-new-privileges:false"])],
      "fail",
      "container flagship-green-api: securityOpts does not hold no-new-privileges",
    ],
    "a confinement taken away": [
      [set("container.securityOpts", ["no-new-privileges", "seccomp=unconfined"])],
      "fail",
      "container flagship-green-api: securityOpts takes a confinement away",
    ],
    "a log of no byte, which is one without end": [
      [set(size, "0")],
      "fail",
      "container flagship-green-api: logOpts.max-size is 0",
    ],
    "a log without end": [
      [set(size, "-1")],
      "fail",
      "container flagship-green-api: logOpts.max-size is another text",
    ],
    "a limited number of endless files": [
      [set("container.logOpts", { "max-file": "3" })],
      "fail",
      "container flagship-green-api: logOpts.max-size is not set",
    ],
    "a second container that is not hardened": [
      [another("container", { name: "debug", securityOpts: [] })],
      "fail",
      "container debug: securityOpts does not hold no-new-privileges",
    ],
  },
});
