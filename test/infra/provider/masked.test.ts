import { expect, test } from "vitest";
import { maskOf } from "../../../infra/provider/masked.ts";

test.each([
  ["a value", ["LICENSE=12345678"], "license 12345678", "license [LICENSE]"],
  ["a short value of an innocent name", ["PORT=8080"], "port 8080", "port 8080"],
  ["a value of just under eight", ["SLOT=bluegre"], "slot bluegre", "slot bluegre"],
  ["a short value that is called secret", ["DB_PASSWORD=abc"], "with abc", "with [DB_PASSWORD]"],
  ["an empty value that is called secret", ["DB_PASSWORD="], "with nothing", "with nothing"],
  [
    "the password of a URL",
    ["DATABASE_URL=postgres://app:s3@db/app"],
    "no entry for s3",
    "no entry for [DATABASE_URL]",
  ],
  [
    "the password of a URL as it is meant",
    ["DATABASE_URL=postgres://app:a%2Fb@db/app"],
    "no entry for a/b, a%2Fb",
    "no entry for [DATABASE_URL], [DATABASE_URL]",
  ],
  [
    "a URL before the password inside of it",
    ["DATABASE_URL=postgres://app:s3@db/app"],
    "postgres://app:s3@db/app",
    "[DATABASE_URL]",
  ],
  ["a value with = in it", ["API_KEY=a=b"], "key a=b", "key [API_KEY]"],
  ["what stands there twice", ["TOKEN=xy"], "xy and xy", "[TOKEN] and [TOKEN]"],
  ["a value of several lines", ["PEM_KEY=line 1\nline 2"], "got line 1\nline 2", "got [PEM_KEY]"],
])("%s", (_what, envs, text, expected) => {
  expect(maskOf(envs)(text)).toBe(expected);
});
