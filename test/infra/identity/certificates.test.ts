import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { Certificates } from "../../../infra/identity/certificates.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";
import { zoneIds } from "../dns/sample.ts";
import { sampleIdentity } from "./samples.ts";

const certificateType = "aws:acm/certificate:Certificate";
const recordType = "cloudflare:index/dnsRecord:DnsRecord";
const validationType = "aws:acm/certificateValidation:CertificateValidation";
const option = {
  domainName: "app.example.com",
  resourceRecordName: "_a1.app.example.com.",
  resourceRecordType: "CNAME",
  resourceRecordValue: "_b2.acm-validations.aws.",
};
const arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0123";

test("a host that asks for one has a certificate of its name, proven by DNS", async () => {
  const { name, inputs } = only((await declare()).resources, certificateType);
  expect(name).toBe("certificates-app.example.com-certificate");
  expect(inputs).toEqual({ domainName: "app.example.com", validationMethod: "DNS" });
});

test("the record that ACM asks for stands in the host's zone, without the last dots", async () => {
  expect(only((await declare()).resources, recordType).inputs).toEqual({
    zoneId: zoneIds.com,
    name: "_a1.app.example.com",
    type: "CNAME",
    content: "_b2.acm-validations.aws",
    ttl: 60,
    proxied: false,
  });
});

test("the run waits until the certificate is issued, and only then gives its ARN", async () => {
  const { resources, arns } = await declare();
  expect(only(resources, validationType).inputs).toEqual({
    certificateArn: arn,
    validationRecordFqdns: ["_a1.app.example.com"],
  });
  expect(arns).toEqual({ "app.example.com": arn });
});

test("certificates that others issue declare nothing", async () => {
  const { resources, arns } = await declare({ "api.example.org": { kind: "external" } });
  expect(resources.map(({ type }) => type)).toEqual(["cutover:identity:Certificates"]);
  expect(arns).toEqual({});
});

async function declare(certificates = sampleIdentity().certificates): Promise<{
  readonly resources: Declared[];
  readonly arns: Readonly<Record<string, string>>;
}> {
  const zones = { "example.com": zoneIds.com, "example.org": zoneIds.org };
  let arns: Promise<Record<string, string>> = Promise.resolve({});
  const resources = await declared(
    () => {
      const made = new Certificates("certificates", { certificates, zones }, firstStep);
      arns = new Promise((resolve) => {
        pulumi.output(made.arns).apply(resolve);
      });
    },
    { [certificateType]: { arn, domainValidationOptions: [option] } },
  );
  return { resources, arns: await arns };
}
