import { expect, test } from "vitest";
import { generatedPassword } from "../../../infra/provider/generated-password.ts";
import { generatedPasswordType } from "../../../infra/provider/type-tokens.ts";
import { secret, serveTypes, unknownText } from "../../support/engine.ts";

const target = { type: generatedPasswordType, name: "database-password" };
const inputs = { of: "orders" };
const serve = (): ReturnType<typeof serveTypes> =>
  serveTypes({ [generatedPasswordType]: generatedPassword });

/** The text in a secret as it goes over the wire. */
function revealed(wire: unknown): string {
  const { value } = wire as { value: string };
  expect(wire).toEqual(secret(value));
  return value;
}

test("is 32 characters that RDS takes, another one each time, and secret", async () => {
  const engine = await serve();
  const made = await Promise.all(Array.from({ length: 20 }, () => engine.create(target, inputs)));
  const passwords = made.map(({ outputs }) => revealed(outputs["password"]));
  expect(new Set(passwords).size).toBe(20);
  // RDS refuses / @ " and spaces, and wants 8 to 128 characters.
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9_-]{32}$/);
  expect(made[0]?.id).toBe("orders");
});

test("is made once: nothing changes it", async () => {
  const engine = await serve();
  const olds = { inputs, outputs: { ...inputs, password: secret("kept") } };
  expect(await engine.diff(target, olds, { of: "other" })).toMatchObject({ changes: false });
  const { outputs } = await engine.update(target, olds, { of: "other" });
  expect(revealed(outputs["password"])).toBe("kept");
});

test("is not made in a preview", async () => {
  const engine = await serve();
  expect(await engine.create(target, inputs, { preview: true })).toEqual({ id: "", outputs: {} });
});

test("says what it opens", async () => {
  const engine = await serve();
  expect(await engine.check(target, {})).toMatchObject([{ property: "of" }]);
  expect(await engine.check(target, { of: unknownText })).toEqual([]);
});
