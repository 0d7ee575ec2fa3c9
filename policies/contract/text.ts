/**
 * Breaks a text between its words into lines of at most this many columns; a longer word stays whole, to be copied.
 *
 * @param indent what every line but the first begins with; it counts as columns
 */
export function wrapWords(text: string, columns: number, indent = ""): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}
