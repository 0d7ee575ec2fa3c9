import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import {
  connectionUrl,
  environmentOf,
  type Connection,
} from "../../../infra/databases/database.ts";

const place = { host: "orders.example.com", port: 5432, database: "orders", user: "owner" };
const passwordSecretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf";

describe("what a service is told", () => {
  test("is one text with the password, escaped, and secret", async () => {
    const environment = environmentOf({ ...place, password: pulumi.secret("p@ss/w:rd") });
    expect(await known(environment)).toEqual({
      DATABASE_URL: "postgres://owner:p%40ss%2Fw%3Ard@orders.example.com:5432/orders",
    });
    expect(await pulumi.isSecret(environment["DATABASE_URL"] as pulumi.Output<string>)).toBe(true);
  });

  test("asks for TLS where the server's CA is known", async () => {
    const connection = { ...place, password: pulumi.secret("x"), tlsCa: "PEM" };
    expect(await known(environmentOf(connection))).toEqual({
      DATABASE_URL: "postgres://owner:x@orders.example.com:5432/orders?sslmode=require",
    });
  });

  test("is where the password lies, when a secret keeps it", async () => {
    const connection: Connection = {
      ...place,
      passwordSecretArn: pulumi.output(passwordSecretArn),
      tlsCa: "PEM",
    };
    expect(await known(environmentOf(connection))).toEqual({
      DATABASE_SECRET_ARN: passwordSecretArn,
      DATABASE_HOST: "orders.example.com",
      DATABASE_PORT: "5432",
      DATABASE_NAME: "orders",
      DATABASE_USER: "owner",
      DATABASE_SSLMODE: "require",
    });
    expect(() => connectionUrl(connection)).toThrow(/see environmentOf/);
    const { tlsCa: _none, ...plain } = connection;
    expect(Object.keys(environmentOf(plain))).not.toContain("DATABASE_SSLMODE");
  });
});

/** What every variable holds. */
function known(environment: Record<string, pulumi.Input<string>>): Promise<unknown> {
  return new Promise((resolve) => {
    pulumi.output(environment).apply(resolve);
  });
}
