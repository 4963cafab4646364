import type { Client } from "../client.js";
import { ClientError } from "../errors.js";
import type { CallOptions } from "../transport.js";
import { type ByteSource, Pieces } from "./byte-source.js";
import { readHeader } from "./header.js";
import { decodeStanza, fileKeyContext, isBasilStanza, type Stanza } from "./stanza.js";

export interface OpenStreamOptions extends CallOptions {
  /** The bytes given when sealing. */
  readonly aad?: Uint8Array;
  /** The key the file must be sealed with. Without it any key the caller may decrypt with will do. */
  readonly keyId?: string;
}

/** What a sealed file holds, and the key that opened it. */
export type OpenedStream = ReadableStream<Uint8Array> & { readonly keyId: string };

const FILE_KEY_BYTES = 16;

/**
 * Opens what {@link sealStream} made. Every byte that comes out is authenticated; that none is missing is known when the
 * stream has ended without an error. 64 KiB are held at a time, the header of at most 64 KiB before.
 *
 * `timeoutMs` is for the broker's answer, `signal` for the whole stream.
 *
 * @returns once the broker has opened the header. The stream ends in {@link ClientError} `SEALED_PAYLOAD_INVALID` or `CANCELLED`,
 *   or in what the source throws.
 * @throws {@link ClientError} `SEALED_HEADER_INVALID`, `SEALED_RECIPIENT_MISSING`, `SEALED_KEY_UNEXPECTED`; as `decrypt`, of which
 *   `DECRYPT_FAILED` means another AAD or a key that did not seal this file.
 */
export async function openStream(
  client: Client,
  source: ByteSource,
  { aad, keyId: expected, ...call }: OpenStreamOptions = {},
): Promise<OpenedStream> {
  const pieces = new Pieces(source, call.signal);
  const { Decrypter } = await import("age-encryption");
  let fileKey: Uint8Array | undefined;
  try {
    const { header, rest } = await readHeader(pieces);
    let keyId = "";
    const unlock = new Decrypter();
    unlock.addIdentity({
      async unwrapFileKey(stanzas: Stanza[]) {
        const wrapped = decodeStanza(theOne(stanzas));
        keyId = wrapped.keyId;
        if (expected !== undefined && keyId !== expected) {
          throw new ClientError("SEALED_KEY_UNEXPECTED", `sealed with key ${keyId}, not ${expected}`, { keyId });
        }
        fileKey = await client.decrypt(keyId, wrapped.envelope, { ...call, aad: fileKeyContext(aad) });
        if (fileKey.length === FILE_KEY_BYTES) return fileKey;
        throw new ClientError("DECRYPT_FAILED", "what the key opened is no file key", {});
      },
    });
    await unlock.decryptHeader(header).catch((error) => {
      throw error instanceof ClientError ? error : invalidHeader(error);
    });
    // The header's MAC has been checked: what fails from here on is the payload.
    const decrypter = new Decrypter();
    decrypter.addIdentity({ unwrapFileKey: () => fileKey ?? null });
    const failure = (error: unknown) => (pieces.failedWith(error) ? error : invalidPayload(error));
    const opened = await decrypter.decrypt(pieces.stream(header, ...rest)).catch((error) => {
      throw failure(error);
    });
    return Object.assign(withFailures(opened, failure), { keyId });
  } catch (error) {
    pieces.release();
    throw error;
  } finally {
    fileKey?.fill(0);
  }
}

/** The one stanza a broker can open: a file has one, so that opening costs one call. */
function theOne(stanzas: readonly Stanza[]): Stanza {
  const [stanza, ...more] = stanzas.filter(isBasilStanza);
  if (stanza === undefined) {
    throw new ClientError("SEALED_RECIPIENT_MISSING", "an age file, but sealed to no key of a broker", {});
  }
  if (more.length > 0) throw invalidHeader(new Error(`${more.length + 1} basil stanzas`));
  return stanza;
}

/** The same bytes; a failure becomes what `failure` makes of it. */
function withFailures(
  opened: ReadableStream<Uint8Array>,
  failure: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const reader = opened.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          throw failure(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function invalidHeader(cause: unknown): ClientError<"SEALED_HEADER_INVALID"> {
  const message = "the header of the sealed file is malformed, or was changed";
  return new ClientError("SEALED_HEADER_INVALID", message, {}, { cause });
}

function invalidPayload(cause: unknown): ClientError<"SEALED_PAYLOAD_INVALID"> {
  const message = "the sealed file was changed or cut short behind its header; what came out before this is incomplete";
  return new ClientError("SEALED_PAYLOAD_INVALID", message, {}, { cause });
}
