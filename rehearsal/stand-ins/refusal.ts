/** What a stand-in says of a type or function that it does not imitate. */
export function notImitated(token: string): string {
  return (
    `the rehearsal does not imitate ${token}. ` +
    "To do: leave it out of the rehearsed stack, or teach it to the stand-in in rehearsal/stand-ins"
  );
}
