import { serviceImagePinned } from "../../../../policies/gates/services/service-image-pinned.ts";
import { another, set, testGate, unknown, without } from "../../../support/gate-tester.ts";

const digest = "4f".repeat(32);

testGate(serviceImagePinned, {
  needs: ["facts.covers.services", "container.image"],
  names: ["container.name"],
  passes: {
    "no container, where there are units": [
      set("facts.covers.services", []),
      set("facts.covers.units", ["orders-web"]),
      without("container"),
    ],
    "a digest after a tag": [set("container.image", `orders/api:v1.1.0@sha256:${digest}`)],
  },
  fails: {
    "a tag": [
      [set("container.image", "registry.example.com/orders/api:v1.1.0")],
      "fail",
      "container flagship-green-api: image has no digest",
    ],
    "a digest one digit short": [
      [set("container.image", `orders/api@sha256:${digest.slice(1)}`)],
      "fail",
      "container flagship-green-api: image has no digest",
    ],
    "a digest one digit long": [
      [set("container.image", `orders/api@sha256:${digest}0`)],
      "fail",
      "container flagship-green-api: image has no digest",
    ],
    "something after the digest": [
      [set("container.image", `orders/api@sha256:${digest}:latest`)],
      "fail",
      "container flagship-green-api: image has no digest",
    ],
    "a digest of nothing": [
      [set("container.image", `@sha256:${digest}`)],
      "fail",
      "container flagship-green-api: image has no digest",
    ],
    "no image": [
      [set("container.image", "")],
      "fail",
      "container flagship-green-api: image is empty",
    ],
    "an image not known before the update": [
      [set("container.image", unknown)],
      "inconclusive",
      "container flagship-green-api: image is unknown until the update",
    ],
    "a second container by tag": [
      [another("container", { name: "debug", image: "busybox:latest" })],
      "fail",
      "container debug: image has no digest",
    ],
    "nothing covered": [
      [set("facts.covers.services", [])],
      "inconclusive",
      "release v1.1.0: it covers no container, so there is nothing to judge",
    ],
  },
});
