import { createReadStream } from "node:fs";

/**
 * The bytes of a file, or undefined when there are more than `limit`: no more than that is read, so that a device that
 * never ends or a file of many gigabytes costs nothing.
 */
export async function readAtMost(path: string, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // `end` is the last byte that is read, not the one after it.
  for await (const chunk of createReadStream(path, { end: limit })) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
  }
  const whole = length > limit ? undefined : new Uint8Array(Buffer.concat(chunks));
  // They may be a secret, and whoever zeroes the result does not see them.
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}
