import { registered, type Registered } from "../../support/registered.ts";

/** A DNS record as a program declared it, with the options that decide about its life. */
export type RegisteredRecord = Pick<
  Registered,
  "name" | "inputs" | "protect" | "import" | "ignoreChanges" | "beforeUpdate"
>;

const recordType = "cloudflare:index/dnsRecord:DnsRecord";

/** Runs a piece of a program and returns the DNS records that it declared, in their order. */
export async function registeredRecords(program: () => unknown): Promise<RegisteredRecord[]> {
  return (await registered(program))
    .filter(({ type }) => type === recordType)
    .map(({ name, inputs, protect, import: taken, ignoreChanges, beforeUpdate }) => ({
      name,
      inputs,
      protect,
      import: taken,
      ignoreChanges,
      beforeUpdate,
    }));
}
