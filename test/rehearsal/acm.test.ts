import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wire } from "../support/engine.ts";
import { startTestCloud, type Made, type Subject, type TestCloud } from "./support.ts";

let cloud: TestCloud;
let certificates: Subject;
let validations: Subject;
let records: Subject;

const validationType = "aws:acm/certificateValidation:CertificateValidation";
const zoneId = "0123456789abcdef0123456789abcdef";

beforeAll(async () => {
  // At this scale the provider's own timeout, 75 minutes, is over in 225 ms.
  cloud = await startTestCloud({ clockScale: 20_000 });
  certificates = cloud.subject("aws:acm/certificate:Certificate");
  validations = cloud.subject(validationType);
  records = cloud.subject("cloudflare:index/dnsRecord:DnsRecord");
});

afterAll(() => cloud.close());

interface Option {
  readonly domainName: string;
  readonly resourceRecordName: string;
  readonly resourceRecordType: string;
  readonly resourceRecordValue: string;
}

function request(domainName: string, more: Wire = {}): Promise<Made> {
  return certificates.create({ domainName, validationMethod: "DNS", ...more });
}

function optionsOf({ outputs }: Made): readonly Option[] {
  return outputs["domainValidationOptions"] as readonly Option[];
}

/** The record that an option asks for, as Cloudflare takes it. */
function recordOf(option: Option | undefined, more: Wire = {}): Wire {
  return {
    zoneId,
    name: option?.resourceRecordName.replace(/\.$/, ""),
    type: option?.resourceRecordType,
    content: option?.resourceRecordValue.replace(/\.$/, ""),
    ttl: 60,
    ...more,
  };
}

function validation(made: Made): Wire {
  const names = optionsOf(made).map(({ resourceRecordName }) => resourceRecordName);
  return { certificateArn: made.id, validationRecordFqdns: names };
}

test("a certificate has an ARN, asks for a record, and waits for it", async () => {
  const made = await request("app.example.com");

  expect(made.id).toMatch(/^arn:aws:acm:us-east-1:123456789012:certificate\/[0-9a-f-]{36}$/);
  expect(made.outputs).toMatchObject({ arn: made.id, status: "PENDING_VALIDATION" });
  expect(optionsOf(made)).toEqual([
    {
      domainName: "app.example.com",
      resourceRecordName: expect.stringMatching(/^_[0-9a-f]{32}\.app\.example\.com\.$/) as unknown,
      resourceRecordType: "CNAME",
      resourceRecordValue: expect.stringMatching(
        /^_[0-9a-f]{32}\.acm-validations\.aws\.$/,
      ) as unknown,
    },
  ]);
  expect(await validations.refusal(validation(made))).toMatch(
    /timeout while waiting for state to become 'ISSUED' \(last state: 'PENDING_VALIDATION'\)/,
  );
});

test("a preview knows neither ARN nor record", async () => {
  const outputs = await certificates.preview({
    domainName: "app.example.com",
    validationMethod: "DNS",
  });
  expect(outputs).not.toHaveProperty("arn");
  expect(outputs).not.toHaveProperty("domainValidationOptions");
});

test("it is issued once the zone holds the record, and a wrong one does not do", async () => {
  const made = await request("issued.example.com");
  const [option] = optionsOf(made);
  const wrong = await records.create(recordOf(option, { content: "_0.acm-validations.aws" }));
  expect(await validations.refusal(validation(made))).toMatch(/PENDING_VALIDATION/);
  await records.update(wrong, recordOf(option));

  const issued = await validations.create(validation(made));
  expect(issued.id).toMatch(/^\d{4}-\d\d-\d\dT/);
  expect(await validations.exists(issued)).toBe(true);
  // A wait is nothing that could be deleted.
  await validations.delete(issued);
  expect(await validations.exists(issued)).toBe(true);
});

test("a wait that began before the record was there ends when it is", async () => {
  const made = await request("late.example.com");
  // A custom timeout is the engine's, so the clock's scale does not shorten it.
  const waiting = cloud.clients.aws.create({ type: validationType, name: "it" }, validation(made), {
    timeout: 30,
  });
  await records.create(recordOf(optionsOf(made)[0]));
  expect((await waiting).id).toMatch(/^\d{4}-/);
});

test("a custom timeout ends the wait", async () => {
  const made = await request("never.example.com");
  const waiting = cloud.clients.aws.create({ type: validationType, name: "it" }, validation(made), {
    timeout: 1,
  });
  await expect(waiting).rejects.toThrow("did not end within its timeout of 1 s");
  expect(await validations.refusal(validation(made))).toMatch(/PENDING_VALIDATION/);
});

test("every name of a certificate asks for a record", async () => {
  const made = await request("many.example.com", {
    subjectAlternativeNames: ["many.example.com", "more.example.com"],
  });
  const [first, second, ...rest] = optionsOf(made);
  expect([first?.domainName, second?.domainName, rest.length]).toEqual([
    "many.example.com",
    "more.example.com",
    0,
  ]);
  await records.create(recordOf(first));
  const one = { certificateArn: made.id, validationRecordFqdns: [first?.resourceRecordName] };
  expect(await validations.refusal(one)).toContain(
    "missing more.example.com DNS validation record: _",
  );
  expect(await validations.refusal(validation(made))).toMatch(/PENDING_VALIDATION/);
});

test("the same name asks for the same record again, so that a renewal finds it", async () => {
  const [first, again] = [await request("twice.example.com"), await request("twice.example.com")];
  expect(again.id).not.toBe(first.id);
  expect(optionsOf(again)).toEqual(optionsOf(first));
});

test("nothing is issued where a zone lets only others issue", async () => {
  const other = "f".repeat(32);
  const caa = (value: string): Wire => ({
    zoneId: other,
    name: "example.org",
    type: "CAA",
    data: { flags: 0, tag: "issue", value },
    ttl: 60,
  });
  await records.create(caa("letsencrypt.org"));
  const made = await request("app.example.org");
  await records.create(recordOf(optionsOf(made)[0], { zoneId: other }));
  expect(await validations.refusal(validation(made))).toMatch(/'FAILED'.*CAA_ERROR/);
  await records.create(caa("amazon.com"));
  expect((await validations.create(validation(made))).id).toMatch(/^\d{4}-/);
});

test("another name is another certificate, made before the old one goes; tags are not", async () => {
  const made = await request("changed.example.com");
  const news = { ...made.inputs, domainName: "other.example.com" };
  expect(await certificates.diff(made, news)).toEqual({
    changes: ["domainName"],
    replaces: ["domainName"],
    deleteFirst: false,
  });
  const tagged = { ...made.inputs, tags: { team: "web" } };
  expect((await certificates.diff(made, tagged)).replaces).toEqual([]);
  expect((await certificates.update(made, tagged)).outputs["arn"]).toBe(made.id);
  await certificates.delete(made);
  expect(await certificates.exists(made)).toBe(false);
  expect(await validations.refusal(validation(made))).toMatch(/Could not find certificate/);
});

test.each([
  ["proof by mail", { validationMethod: "EMAIL" }, "validationMethod", /only validates by DNS/],
  [
    "a name that ends with a dot",
    { domainName: "app.example.com." },
    "domainName",
    /small letters/,
  ],
  ["an export", { options: { export: "ENABLED" } }, "options", /does not imitate/],
])("%s is refused before anything is made", async (_, change, property, reason) => {
  const inputs = { domainName: "app.example.com", validationMethod: "DNS", ...change };
  expect(await certificates.check(inputs)).toEqual({
    [property]: expect.stringMatching(reason) as unknown,
  });
});
