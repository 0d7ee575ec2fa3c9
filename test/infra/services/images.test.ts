import { expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { images } from "../../../infra/services/images.ts";
import { declared, firstStep, type Declared } from "../../support/declared.ts";
import { image, service, stackWith } from "../release/samples.ts";
import { sampleConfig } from "../../support/config.ts";

const slots = { blue: "203.0.113.10", green: "203.0.113.20" };
const hosts = {
  [slots.blue]: "ssh://deploy@203.0.113.10",
  [slots.green]: "ssh://deploy@203.0.113.20",
};

/** What is pulled for a release in `prepare`, after another one went live. */
function pulled(changes: Partial<Config>): Promise<Declared[]> {
  const { plan, run } = stackWith({ slots, ...changes });
  const ledger = run(["prepare", "lower-ttl", "cutover"], "v1.0.0");
  const config = sampleConfig({ slots, ...changes });
  return declared(() => images({ config, plan: plan("prepare", "v1.1.0", ledger) }, firstStep));
}

const api = service({ port: 8081 });

test("the images of the release that comes and of the one that serves are pulled, and stay", async () => {
  expect(await pulled({ services: { api } })).toEqual(
    ["v1.1.0", "v1.0.0"].map((version) => ({
      type: "docker:index/remoteImage:RemoteImage",
      name: `${version}-api-image`,
      inputs: { name: "a", keepLocally: true },
    })),
  );
});

test("an image is pulled on every host that may run it, and on none where it has no place", async () => {
  const web = service({ placement: "in-place", address: slots.green });
  const found = await pulled({ services: { api, web }, hosts });
  const names = found.flatMap(({ type, name }) => (type.startsWith("pulumi:") ? [] : [name]));
  expect(names.filter((name) => name.startsWith("v1.1.0"))).toEqual([
    "v1.1.0-api-image-203.0.113.10",
    "v1.1.0-api-image-203.0.113.20",
    "v1.1.0-web-image-203.0.113.20",
  ]);
});

test("what a release does not bring, and what systemd runs, is not pulled", async () => {
  const systemd = {
    environment: "web",
    command: ["web"],
    workingDirectory: "/srv",
    user: "web",
    watchdogSeconds: 30,
  };
  const services = {
    worker: service({ image }),
    extra: service({}),
    web: service({ systemd, placement: "in-place", address: slots.blue }),
  };
  expect(await pulled({ services })).toEqual([]);
});
