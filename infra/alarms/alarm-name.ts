/** The name by which CloudWatch knows a rule's alarm. */
export function alarmName(system: string, rule: string): string {
  return `${system}-${rule}`;
}
