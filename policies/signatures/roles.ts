/** The SSHSIG namespace in which a person signs approvals in a role. The role `waiver` is taken. */
export function namespaceOf(role: string): string {
  return `${role}@cutover`;
}

/** The SSHSIG namespace in which a person signs waivers. */
export const waiverNamespace = namespaceOf("waiver");
