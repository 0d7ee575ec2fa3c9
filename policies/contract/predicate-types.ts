/** The type URI of every predicate. Apart from their shapes, which take a while to set up. */
export const predicateTypes = {
  tests: "https://in-toto.io/attestation/test-result/v0.1",
  vulnerabilities: "https://in-toto.io/attestation/vulns/v0.2",
  verification: "https://in-toto.io/attestation/svr/v0.1",
  findings: "urn:cutover:predicate:findings:v1",
  migrations: "urn:cutover:predicate:migrations:v1",
  metrics: "urn:cutover:predicate:metrics:v1",
  document: "urn:cutover:predicate:document:v1",
  comparison: "urn:cutover:predicate:comparison:v1",
  records: "urn:cutover:predicate:records:v1",
  inventory: "urn:cutover:predicate:inventory:v1",
  series: "urn:cutover:predicate:series:v1",
  approval: "urn:cutover:predicate:approval:v1",
  waiver: "urn:cutover:predicate:waiver:v1",
} as const;
