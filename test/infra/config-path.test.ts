import { expect, test } from "vitest";
import { dotted, removeValue, setSecret, setValue } from "../../infra/config-path.ts";

test.each<readonly [readonly PropertyKey[], string]>([
  [["phase"], "cutover:phase"],
  [["dns", "ttl", "lowered"], "cutover:dns.ttl.lowered"],
  [["services", "rust-api", "port"], "cutover:services.rust-api.port"],
  [["dns", "names", "app.example.com", "service"], 'cutover:dns.names["app.example.com"].service'],
  [["dns", "kept", 0, "ttl"], "cutover:dns.kept[0].ttl"],
  [["alarms", "rules", "5xx-rate"], 'cutover:alarms.rules["5xx-rate"]'],
  [["contacts", "on call"], 'cutover:contacts["on call"]'],
  [["contacts", 'a "b"'], String.raw`cutover:contacts["a \"b\""]`],
  [["contacts", ""], 'cutover:contacts[""]'],
  [[], "cutover:"],
])("%j is %s", (path, text) => {
  expect(dotted(path)).toBe(text);
});

test("commands carry the path as the CLI takes it", () => {
  const path = ["dns", "zones", "example.com"];
  expect(setValue(path, "0123")).toBe(
    `pulumi config set --path 'cutover:dns.zones["example.com"]' '0123'`,
  );
  expect(removeValue(path)).toBe(`pulumi config rm --path 'cutover:dns.zones["example.com"]'`);
  expect(setSecret(["databasePassword"])).toBe(
    "pulumi config set --secret cutover:databasePassword",
  );
  expect(setSecret(["webhooks", "team"])).toBe(
    "pulumi config set --secret --path 'cutover:webhooks.team'",
  );
});
