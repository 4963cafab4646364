import { Decrypter, Encrypter, Stanza } from "age-encryption";
import { BundleError } from "./errors.js";
import { LIMITS } from "./limits.js";

/** Which slot of which bundle; a provider binds what it makes to it where it can. */
export interface SlotContext {
  /** 16 random bytes, fixed when the bundle is created. */
  readonly bundleId: Uint8Array;
  /** From 0. */
  readonly slotId: number;
  readonly signal?: AbortSignal;
}

/** One stanza of an age header (https://c2sp.org/age): what `wrap` made of the 16-byte file key. */
export interface SlotStanza {
  /** The type and its arguments: printable ASCII without spaces, at least one. */
  readonly args: readonly string[];
  /** What opens to the file key, in the form of the provider. */
  readonly body: Uint8Array;
}

/** A way to unlock. A slot is an age file whose header holds the one stanza that `wrap` made. */
export interface SlotProvider {
  /** The method token the slot is listed under, such as `passphrase`. */
  readonly kind: string;
  /** Facts kept in clear beside the slot, such as a recipient. Authenticated once the bundle is open, never secret. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Wraps the 16-byte age file key. Absent in a provider that only opens. Zeroes nothing that is not its own. */
  wrap?(fileKey: Uint8Array, context: SlotContext): Promise<SlotStanza>;
  /**
   * The file key, or nothing when the secret is not the one of this slot. It is given away, and zeroed after use. Absent in
   * a provider that only wraps.
   * @throws {@link BundleError} `SLOT_UNAVAILABLE`, `COST_TOO_HIGH`; any other error is taken as `SLOT_UNAVAILABLE`.
   */
  unwrap?(stanza: SlotStanza, context: SlotContext): Promise<Uint8Array | undefined>;
}

/** A way to unlock that makes and opens whole age files itself, as the `age` program does. */
export interface SlotFileProvider {
  readonly kind: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The age file of 52 bytes plaintext: bundle id, slot id and master key. At most 16 KiB. */
  wrapFile?(plaintext: Uint8Array, context: SlotContext): Promise<Uint8Array>;
  /** Those 52 bytes, or nothing when the secret is not the one of this slot. Fails as {@link SlotProvider.unwrap} does. */
  unwrapFile?(file: Uint8Array, context: SlotContext): Promise<Uint8Array | undefined>;
}

export type AnySlotProvider = SlotProvider | SlotFileProvider;

const MASTER_KEY_BYTES = 32;
/** 16 bytes bundle id, big-endian `u32` slot id, 32 bytes master key. */
const SLOT_PLAINTEXT_BYTES = 16 + 4 + MASTER_KEY_BYTES;

export function canWrap(provider: AnySlotProvider): boolean {
  return "wrapFile" in provider ? provider.wrapFile !== undefined : (provider as SlotProvider).wrap !== undefined;
}

export function canUnwrap(provider: AnySlotProvider): boolean {
  return "unwrapFile" in provider ? provider.unwrapFile !== undefined : (provider as SlotProvider).unwrap !== undefined;
}

/** The age file of a slot: the master key together with the bundle and the slot it belongs to. */
export async function wrapMasterKey(
  provider: AnySlotProvider,
  masterKey: Uint8Array,
  context: SlotContext,
): Promise<Uint8Array> {
  const plaintext = new Uint8Array(SLOT_PLAINTEXT_BYTES);
  plaintext.set(context.bundleId);
  new DataView(plaintext.buffer).setUint32(16, context.slotId);
  plaintext.set(masterKey, 20);
  try {
    const file =
      "wrapFile" in provider && provider.wrapFile !== undefined
        ? await provider.wrapFile(plaintext, context)
        : await sealWithStanza(provider as SlotProvider, plaintext, context);
    if (file.length > LIMITS.slotBytes) {
      throw new BundleError("LIMIT", `the ${provider.kind} slot would be ${file.length} bytes`, {
        field: "slot",
        limit: LIMITS.slotBytes,
        actual: file.length,
      });
    }
    return file;
  } finally {
    plaintext.fill(0);
  }
}

/**
 * The master key, or nothing when the secret is not the slot's.
 * @throws {@link BundleError} `AUTHENTICATION` when the slot was taken from another bundle or place, `SLOT_UNAVAILABLE`, `COST_TOO_HIGH`.
 */
export async function unwrapMasterKey(
  provider: AnySlotProvider,
  file: Uint8Array,
  context: SlotContext,
): Promise<Uint8Array | undefined> {
  context.signal?.throwIfAborted();
  const plaintext =
    "unwrapFile" in provider && provider.unwrapFile !== undefined
      ? await guarded(provider, context, () => provider.unwrapFile?.(file, context))
      : await openWithStanza(provider as SlotProvider, file, context);
  if (plaintext === undefined) return undefined;
  try {
    const bound =
      plaintext.length === SLOT_PLAINTEXT_BYTES &&
      context.bundleId.every((byte, index) => plaintext[index] === byte) &&
      new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(16) === context.slotId;
    if (!bound) {
      throw new BundleError("AUTHENTICATION", `slot ${context.slotId} was made for another bundle or another slot`, {
        part: "slot",
      });
    }
    return new Uint8Array(plaintext.subarray(20));
  } finally {
    plaintext.fill(0);
  }
}

async function sealWithStanza(
  provider: SlotProvider,
  plaintext: Uint8Array,
  context: SlotContext,
): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient({
    wrapFileKey: async (fileKey) => {
      if (provider.wrap === undefined) throw new TypeError(`a ${provider.kind} slot provider that cannot wrap`);
      const { args, body } = await provider.wrap(fileKey, context);
      if (args.length === 0 || args.some((arg) => !/^[\x21-\x7e]+$/.test(arg))) {
        throw new TypeError(`a ${provider.kind} stanza whose arguments are not printable ASCII without spaces`);
      }
      return [new Stanza([...args], body)];
    },
  });
  return encrypter.encrypt(plaintext);
}

async function openWithStanza(
  provider: SlotProvider,
  file: Uint8Array,
  context: SlotContext,
): Promise<Uint8Array | undefined> {
  const decrypter = new Decrypter();
  let matched = true;
  let failure: unknown;
  let fileKey: Uint8Array | undefined;
  decrypter.addIdentity({
    unwrapFileKey: async (stanzas: Stanza[]) => {
      const [stanza] = stanzas;
      // One stanza, as written here; age itself demands it of scrypt (https://c2sp.org/age#scrypt-recipient-stanza).
      if (stanza === undefined || stanzas.length !== 1) return null;
      try {
        fileKey = await guarded(provider, context, () => provider.unwrap?.(stanza, context));
        matched = fileKey !== undefined;
        return fileKey ?? null;
      } catch (error) {
        failure = error;
        throw error;
      }
    },
  });
  try {
    return await decrypter.decrypt(file);
  } catch (cause) {
    if (failure !== undefined) throw failure;
    if (!matched) return undefined;
    throw new BundleError(
      "AUTHENTICATION",
      `slot ${context.slotId} is not a whole age file with one stanza`,
      { part: "slot" },
      { cause },
    );
  } finally {
    fileKey?.fill(0);
  }
}

async function guarded<T>(
  provider: AnySlotProvider,
  context: SlotContext,
  attempt: () => Promise<T> | undefined,
): Promise<T | undefined> {
  try {
    return await attempt();
  } catch (cause) {
    if (context.signal?.aborted || cause instanceof BundleError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BundleError(
      "SLOT_UNAVAILABLE",
      `slot ${context.slotId} (${provider.kind}) could not be tried: ${why}`,
      {
        kind: provider.kind,
      },
      { cause },
    );
  }
}
