/** What stands for digits in the form of a stamped text; the first that fits counts. */
const tokens: readonly (readonly [token: string, pattern: string])[] = [
  ["YYYYMMDD", String.raw`(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})`],
  ["HHMMSS", String.raw`(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2})`],
  ["X.Y.Z", String.raw`(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)`],
];

/** Tells whether a form has a date, and date and time no more than once. */
export function isStampForm(form: string): boolean {
  const [dates, times] = ["YYYYMMDD", "HHMMSS"].map((token) => form.split(token).length - 1);
  return dates === 1 && times !== undefined && times <= 1;
}

/**
 * The time in a text of a form such as `vX.Y.Z-YYYYMMDD`, in milliseconds since 1970, as UTC; undefined when the text
 * has another form or its date is none.
 */
export function timeIn(text: string, form: string): number | undefined {
  const groups = new RegExp(`^${patternOf(form)}$`).exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { year = "", month = "", day = "", hour = "00", minute = "00", second = "00" } = groups;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(iso);
  // A day that the month does not have is taken for one of the next.
  return Number.isFinite(time) && new Date(time).toISOString() === iso ? time : undefined;
}

function patternOf(form: string): string {
  if (form === "") return "";
  const token = tokens.find(([name]) => form.startsWith(name));
  if (token !== undefined) return token[1] + patternOf(form.slice(token[0].length));
  return form.charAt(0).replace(/[.*+?^${}()|[\]\\/-]/, String.raw`\$&`) + patternOf(form.slice(1));
}
