import { createHash } from "node:crypto";
import { z } from "zod";
import { pause } from "../../../infra/provider/pause.ts";
import type { Call, Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { dnsRecords } from "../cloudflare/dns-record.ts";
import { ApiError, computedOf, standIn } from "../kind.ts";
import type { Collection } from "../store.ts";
import { accountId, arn, arnOf, newUuid, tags, type Account } from "./account.ts";

/** A certificate as ACM keeps it, by its ARN. */
interface CertificateRecord {
  readonly domainName: string;
  readonly options: readonly ValidationOption[];
  /** ISO 8601; absent while ACM waits for its records. */
  readonly issuedAt?: string;
}

/** The record that ACM wants to see in DNS before it issues. */
interface ValidationOption {
  readonly domainName: string;
  readonly resourceRecordName: string;
  readonly resourceRecordType: "CNAME";
  readonly resourceRecordValue: string;
}

/** Certificates by ARN. */
function certificatesOf({ store }: Account): Collection<CertificateRecord> {
  return store.collection("aws-acm-certificates");
}

/** ACM: certificates that are issued once the zones of the rehearsal hold what they ask for. Nobody can show one. */
export function acmTypes(account: Account): Record<string, ResourceType> {
  return {
    "aws:acm/certificate:Certificate": certificateType(account),
    "aws:acm/certificateValidation:CertificateValidation": validationType(account),
  };
}

const domain = z.string().regex(/^(\*\.)?(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z]{2,63}$/, {
  error: "must be a domain name in small letters, without a dot at its end",
});

const certificateInputs = z.strictObject({
  domainName: domain,
  subjectAlternativeNames: z.array(domain).optional(),
  validationMethod: z.literal("DNS", { error: "the rehearsal only validates by DNS" }),
  keyAlgorithm: z
    .enum(["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1"])
    .default("RSA_2048"),
  tags,
});

const computed = [
  "arn",
  "domainValidationOptions",
  "status",
  "subjectAlternativeNames",
  "type",
  "validationEmails",
  "renewalEligibility",
  "pendingRenewal",
];

function certificateType(account: Account): ResourceType {
  const certificates = certificatesOf(account);
  return standIn({
    inputs: certificateInputs,
    replaceOn: (name) => name !== "tags",
    create({ domainName, subjectAlternativeNames = [] }) {
      const names = [...new Set([domainName, ...subjectAlternativeNames])];
      const own = arnOf(account, "acm", `certificate/${newUuid()}`);
      const options = names.map(validationOption);
      certificates.set(own, { domainName, options });
      const outputs = {
        arn: own,
        domainValidationOptions: options,
        status: "PENDING_VALIDATION",
        subjectAlternativeNames: names,
        type: "AMAZON_ISSUED",
        validationEmails: [],
        renewalEligibility: "INELIGIBLE",
        pendingRenewal: false,
      };
      return Promise.resolve({ id: own, outputs });
    },
    update: (olds) => Promise.resolve(computedOf(olds, computed)),
    exists: ({ id }) => certificates.get(id) !== undefined,
    delete({ id }) {
      certificates.delete(id);
      return Promise.resolve();
    },
  });
}

/** The same domain asks the same account for the same record, so that a renewed certificate finds it there. */
function validationOption(domainName: string): ValidationOption {
  const bare = domainName.replace(/^\*\./, "");
  const [name, value] = ["name", "value"].map((part) =>
    createHash("sha256").update(`${accountId} ${bare} ${part}`).digest("hex").slice(0, 32),
  );
  return {
    domainName,
    resourceRecordName: `_${name}.${bare}.`,
    resourceRecordType: "CNAME",
    resourceRecordValue: `_${value}.acm-validations.aws.`,
  };
}

const validationInputs = z.strictObject({
  certificateArn: arn,
  validationRecordFqdns: z.array(z.string()).optional(),
});

/** Seconds that the provider waits for a certificate where no custom timeout is set. */
const defaultTimeoutSeconds = 75 * 60;

/** Waits until a certificate is issued. */
function validationType(account: Account): ResourceType {
  const certificates = certificatesOf(account);
  return standIn({
    inputs: validationInputs,
    replaceOn: "every",
    async create({ certificateArn, validationRecordFqdns = [] }, call) {
      const { options } = certificateAt(certificates, certificateArn);
      judgeNames(options, validationRecordFqdns);
      const issuedAt = await issue(account, certificateArn, call);
      return { id: issuedAt, outputs: {} };
    },
    exists: ({ inputs }) =>
      certificates.get(textIn(inputs, "certificateArn"))?.issuedAt !== undefined,
    // It is a wait, not a thing.
    delete: () => Promise.resolve(),
  });
}

function textIn(inputs: Properties, name: string): string {
  const value = inputs[name];
  return typeof value === "string" ? value : "";
}

function certificateAt(
  certificates: Collection<CertificateRecord>,
  certificateArn: string,
): CertificateRecord {
  const certificate = certificates.get(certificateArn);
  if (certificate !== undefined) return certificate;
  throw new ApiError(
    "ACM: DescribeCertificate",
    "ResourceNotFoundException",
    `Could not find certificate ${certificateArn}.`,
  );
}

function judgeNames(options: readonly ValidationOption[], names: readonly string[]): void {
  if (names.length === 0) return;
  const given = names.map(withoutDot);
  const missing = options.find(
    ({ resourceRecordName }) => !given.includes(withoutDot(resourceRecordName)),
  );
  if (missing === undefined) return;
  throw new ApiError(
    "ACM: DescribeCertificate",
    "InvalidArgument",
    `missing ${missing.domainName} DNS validation record: ${withoutDot(missing.resourceRecordName)}`,
  );
}

async function issue(account: Account, certificateArn: string, call: Call): Promise<string> {
  const certificates = certificatesOf(account);
  const scaled = (defaultTimeoutSeconds * 1000) / account.clockScale;
  // A custom timeout comes through the signal, in seconds of the wall.
  const deadline = call.timeoutSeconds > 0 ? Infinity : performance.now() + scaled;
  for (;;) {
    const certificate = certificateAt(certificates, certificateArn);
    if (certificate.issuedAt !== undefined) return certificate.issuedAt;
    if (certificate.options.every((option) => isShown(account, option))) {
      judgeAuthorities(account, certificateArn, certificate);
      const issuedAt = new Date().toISOString();
      certificates.set(certificateArn, { ...certificate, issuedAt });
      return issuedAt;
    }
    if (performance.now() >= deadline) {
      throw new ApiError(
        "ACM: DescribeCertificate",
        "Timeout",
        `waiting for ACM Certificate (${certificateArn}) to be issued: timeout while waiting for state to become ` +
          "'ISSUED' (last state: 'PENDING_VALIDATION')",
      );
    }
    await pause(20, call.signal);
  }
}

/** Who may issue besides others, as CAA records name Amazon. */
const ownAuthorities = /^\d+ issue "(?:amazon|amazontrust|awstrust|amazonaws)\.com[";]/;

/** @throws ApiError when the nearest CAA records of a name let only others issue */
function judgeAuthorities(
  { store }: Account,
  certificateArn: string,
  { options }: CertificateRecord,
): void {
  const records = dnsRecords(store)
    .items()
    .filter(({ type }) => type === "CAA");
  for (const { domainName } of options) {
    const labels = domainName.replace(/^\*\./, "").split(".");
    const names = labels.map((_, index) => labels.slice(index).join("."));
    const nearest = names.find((name) => records.some((record) => record.name === name));
    const issuers = records
      .filter(({ name, content }) => name === nearest && / issue /.test(content))
      .map(({ content }) => content);
    if (issuers.length === 0 || issuers.some((one) => ownAuthorities.test(one))) continue;
    throw new ApiError(
      "ACM: DescribeCertificate",
      "UnexpectedState",
      `waiting for ACM Certificate (${certificateArn}) to be issued: unexpected state 'FAILED', wanted target ` +
        "'ISSUED'. last error: CAA_ERROR",
    );
  }
}

function isShown({ store }: Account, option: ValidationOption): boolean {
  return dnsRecords(store)
    .items()
    .some(
      ({ name, type, content }) =>
        type === option.resourceRecordType &&
        name.toLowerCase() === withoutDot(option.resourceRecordName) &&
        withoutDot(content) === withoutDot(option.resourceRecordValue),
    );
}

function withoutDot(text: string): string {
  return text.replace(/\.$/, "").toLowerCase();
}
