/**
 * Reads a body whole. Leaving it early ends the connection.
 *
 * @param tooLarge makes the error when there is more than that
 * @throws what `tooLarge` makes
 */
export async function wholeBody(
  body: AsyncIterable<Uint8Array>,
  mostBytes: number,
  tooLarge: () => Error,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostBytes) throw tooLarge();
  }
  return Buffer.concat(chunks);
}
