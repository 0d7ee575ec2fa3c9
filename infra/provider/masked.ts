/** Takes secrets out of a text. */
export type Mask = (text: string) => string;

// Shorter values stand in every log by chance; what is called a secret is one at any length.
const leastLength = 8;
const secretName = /PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|DSN/i;

/**
 * Makes a mask of the environment of a container: values, and passwords inside of URLs, become `[NAME]`. A provider is
 * not told which of its inputs are secret, so all but short values of innocent names count.
 *
 * @param envs lines `NAME=value`
 */
export function maskOf(envs: readonly string[]): Mask {
  const hidden = envs.flatMap((line) => {
    const at = line.indexOf("=");
    const name = line.slice(0, at);
    const value = line.slice(at + 1);
    const whole = value.length >= leastLength || secretName.test(name) ? [value] : [];
    return [...whole, ...passwordsIn(value)]
      .filter((text) => text !== "")
      .map((text) => [text, `[${name}]`] as const);
  });
  // The longest first: a password may be a part of a URL.
  const inOrder = hidden.toSorted(([a], [b]) => b.length - a.length);
  return (text) => inOrder.reduce((left, [value, name]) => left.replaceAll(value, name), text);
}

/** The password of a URL, as it stands there and as it is meant. */
function passwordsIn(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  return [password, decoded(password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
