import { describe, expect, test } from "vitest";
import { addressOf, importOf, secretArnOf } from "../../../infra/databases/instance-state.ts";

const made = { adopt: false, identifier: "orders" };
const adopted = { adopt: true, identifier: "orders" };
const upgraded = { resourceId: "db-GREEN", version: "18.2" };

describe("the state follows", () => {
  test("the instance that the stack made, without an import", () => {
    expect(importOf(made, undefined)).toEqual({});
  });

  test("an adopted one, whose password and key stay as they are", () => {
    expect(importOf(adopted, undefined)).toEqual({
      import: "orders",
      ignoreChanges: [
        "password",
        "manageMasterUserPassword",
        "masterUserSecretKmsKeyId",
        "dbName",
        "kmsKeyId",
      ],
    });
  });

  test("an adopted one whose key must be the one that the config names", () => {
    const { ignoreChanges } = importOf({ ...adopted, kmsKeyArn: "arn:key" }, undefined);
    expect(ignoreChanges).not.toContain("kmsKeyId");
  });

  test.each([made, adopted])("the new one after an upgrade", (settings) => {
    expect(importOf(settings, upgraded).import).toBe("db-GREEN");
  });
});

describe("the address", () => {
  test("is that of the instance by its name", () => {
    expect(addressOf(made, "orders", "orders.example.com")).toBe("orders.example.com");
  });

  test("of the old instance is refused, with what to do", () => {
    expect(() => addressOf(made, "orders-old1", "orders-old1.example.com")).toThrow(
      /found: {4}orders-old1\n +required: orders\n +to do: .+cutover:database\.adopt true/,
    );
  });
});

describe("the secret of the password", () => {
  test("is the one that RDS keeps", () => {
    expect(secretArnOf(made, [{ secretArn: "arn:secret" }])).toBe("arn:secret");
  });

  test("that RDS does not keep is refused, with what to do", () => {
    expect(() => secretArnOf(made, [])).toThrow(
      /does not manage the password of orders[^]*--manage-master-user-password/,
    );
  });
});
