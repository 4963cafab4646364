import { Decrypter, Encrypter } from "age-encryption";
import { decryptWithAge, encryptWithAge } from "./age-program.js";
import { BundleError } from "./errors.js";
import { identityLines } from "./identity-lines.js";
import type { SlotContext, SlotFileProvider } from "./slot.js";

export interface AgeSlotOptions {
  /** Where to wrap to: `age1…` of any kind, a plugin's recipient or an SSH public key. Needed to make a slot. */
  readonly recipient?: string;
  /** The content of an age identity file. Needed to open a slot, unless `plugin` is given. Held, not copied. */
  readonly identities?: Uint8Array;
  /** Opens with the data-less plugin of this name, as `age -j NAME` does. */
  readonly plugin?: string;
  /** The token the slot is listed under; `age` by default. */
  readonly kind?: "age" | "age-yubikey";
  /** The `age` program, used for plugin and SSH recipients only; `age` on PATH by default. */
  readonly program?: string;
}

/**
 * A slot for an age recipient. Native recipients (X25519 and post-quantum hybrid) are handled here; plugin and SSH ones
 * by the installed `age` program. Anybody who knows the recipient can write such a slot: it proves nothing about who did.
 *
 * @throws {@link BundleError} `KEY_INVALID` for a recipient or an identity that is neither native nor for the program.
 */
export function ageSlot(options: AgeSlotOptions): SlotFileProvider {
  const { recipient, identities, plugin, kind = "age", program = "age" } = options;
  const programOptions = ({ signal }: SlotContext) => ({ program, ...(signal && { signal }) });
  const wrapFile = recipient === undefined ? undefined : wrapperFor(recipient, programOptions);
  const unwrapFile =
    identities !== undefined
      ? unwrapperFor(identities, programOptions)
      : plugin !== undefined
        ? (file: Uint8Array, context: SlotContext) => decryptWithAge(file, { plugin }, programOptions(context))
        : undefined;
  return {
    kind,
    ...(recipient !== undefined && { parameters: { recipient } }),
    ...(wrapFile && { wrapFile }),
    ...(unwrapFile && { unwrapFile }),
  };
}

type ProgramOptions = (context: SlotContext) => { program: string; signal?: AbortSignal };

function wrapperFor(recipient: string, programOptions: ProgramOptions): NonNullable<SlotFileProvider["wrapFile"]> {
  if (isNativeRecipient(recipient)) {
    const encrypter = new Encrypter();
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new BundleError("KEY_INVALID", "the age recipient is not well formed", { field: "recipient" }, { cause });
    }
    return (plaintext) => encrypter.encrypt(plaintext);
  }
  if (
    !/^age1[a-z0-9+._-]+1[a-z0-9]+$/.test(recipient) &&
    !/^ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]+(?: .*)?$/.test(recipient)
  ) {
    throw new BundleError("KEY_INVALID", "the age recipient is neither age1… nor an SSH public key", {
      field: "recipient",
    });
  }
  return (plaintext, context) => encryptWithAge(recipient, plaintext, programOptions(context));
}

/** Bech32 data never holds a 1, so the last one ends the name: `age`, `age1pq`, `age1tag`, `age1tagpq` or a plugin's. */
function isNativeRecipient(recipient: string): boolean {
  return ["age", "age1pq", "age1tag", "age1tagpq"].includes(recipient.slice(0, recipient.lastIndexOf("1")));
}

function unwrapperFor(
  identities: Uint8Array,
  programOptions: ProgramOptions,
): NonNullable<SlotFileProvider["unwrapFile"]> {
  const lines = identityLines(identities);
  if (!lines.every(({ text }) => /^AGE-SECRET-KEY-(?:PQ-)?1/.test(text))) {
    return (file, context) => decryptWithAge(file, { identities }, programOptions(context));
  }
  const decrypter = new Decrypter();
  for (const { text, line } of lines) {
    try {
      decrypter.addIdentity(text);
    } catch (cause) {
      throw new BundleError(
        "KEY_INVALID",
        `line ${line} of the age identity file is not a well-formed identity`,
        { field: "identity" },
        { cause },
      );
    }
  }
  return async (file, { slotId }) => {
    try {
      return await decrypter.decrypt(file);
    } catch (cause) {
      if (cause instanceof Error && /no identity matched/.test(cause.message)) return undefined;
      throw new BundleError("AUTHENTICATION", `slot ${slotId} is not a whole age file`, { part: "slot" }, { cause });
    }
  };
}
