import { type ChangeBundleOptions, type Changed, changeBundle, type NoticeOptions } from "./change-bundle.js";
import type { ClearSlot } from "./clear-part.js";
import { replaceDepositKey } from "./deposits/deposit-key.js";
import { settleDeposits } from "./deposits/promote.js";
import type { Draft, SlotInput } from "./draft.js";
import { BundleError } from "./errors.js";
import { type AnySlotProvider, canUnwrap, canWrap, type SlotContext, unwrapMasterKey } from "./slot.js";
import { decodeToken } from "./token.js";
import { isForMethod } from "./unlock.js";

export interface SlotFacts {
  readonly id: number;
  readonly method: string;
  readonly label: string;
}

/** Adds a way to unlock; no other slot is touched. @throws {@link BundleError} What the provider and changing throw. */
export async function addSlot(
  path: string,
  slot: SlotInput,
  options: ChangeBundleOptions & NoticeOptions<SlotFacts>,
): Promise<Changed<SlotFacts>> {
  return changeBundle(path, options, async (draft, { host }) =>
    factsOf(await draft.addSlot(slot, host.now(), options.signal)),
  );
}

/**
 * Takes a way to unlock out. Whoever kept an older copy can still open that copy; {@link rekey} keeps later ones from them.
 * @throws {@link BundleError} `SLOT_NOT_FOUND`, `LAST_SLOT`, and what changing throws.
 */
export async function removeSlot(
  path: string,
  slotId: number,
  options: ChangeBundleOptions,
): Promise<Changed<SlotFacts>> {
  return changeBundle(path, options, (draft) => take(draft, slotId));
}

export interface Rekeyed {
  readonly slots: readonly SlotFacts[];
  /** The new deposit recipient, 43 characters base64url; nothing when the bundle takes no deposits. */
  readonly recipient: string | undefined;
  /** Ids of the contributors, who need the new recipient. */
  readonly contributors: readonly string[];
  /** Backend ids whose deposits were promoted. */
  readonly promoted: readonly string[];
  /** File names of the deposit records that were removed: promoted, spent or discarded. */
  readonly removed: readonly string[];
}

export interface RekeyOptions extends ChangeBundleOptions {
  /** Secrets and recipients for the slots that stay, beside those in `unlock`. */
  readonly slots?: readonly AnySlotProvider[];
  /** Slots to leave out, by id. */
  readonly dropSlots?: readonly number[];
  /** Removes every deposit beside the bundle. By default effective ones are promoted. */
  readonly discardDeposits?: boolean;
  /** Makes a provider that can wrap from the facts kept with a slot, for kinds that need no secret to wrap, such as `age`. */
  readonly providerFor?: (
    slot: SlotFacts & { readonly parameters: Readonly<Record<string, string>> },
  ) => AnySlotProvider | undefined | Promise<AnySlotProvider | undefined>;
}

/**
 * Replaces the master key and the deposit key, so that a removed slot or an old copy opens nothing written from now on, nor
 * any later deposit. Every slot is wrapped anew: with a secret that opens it now, or by `providerFor`. Nothing is written
 * unless all of them can be. A deposit made to the old recipient before stays readable to the holder of an old copy.
 * @throws {@link BundleError} `DEPOSITS_LEFT`; `REKEY_INCOMPLETE` naming the slots that lack a secret, `SLOT_NOT_FOUND`, `LAST_SLOT`, and what changing throws.
 */
export async function rekey(path: string, options: RekeyOptions): Promise<Changed<Rekeyed>> {
  return changeBundle(path, options, async (draft, context) => {
    for (const slotId of options.dropSlots ?? []) take(draft, slotId);
    const candidates = [...options.unlock, ...(options.slots ?? [])];
    const providers = new Map<number, AnySlotProvider>();
    const missing: ClearSlot[] = [];
    for (const slot of draft.slots) {
      const slotContext = {
        bundleId: draft.bundleId,
        slotId: slot.id,
        ...(options.signal && { signal: options.signal }),
      };
      const provider =
        (await providerThatOpens(slot, candidates, slotContext)) ??
        (await options.providerFor?.({ ...factsOf(slot), parameters: Object.fromEntries(slot.parameters) }));
      if (provider === undefined || !canWrap(provider)) missing.push(slot);
      else providers.set(slot.id, provider);
    }
    if (missing.length > 0) {
      const names = missing.map(({ id, method }) => `${id} (${method})`).join(", ");
      throw new BundleError(
        "REKEY_INCOMPLETE",
        `nothing given opens slot ${names}, so it cannot be wrapped anew; give its secret or drop it`,
        {
          slotIds: missing.map(({ id }) => id),
        },
      );
    }
    const { promoted, removed } = await settleDeposits(draft, context, path, options.discardDeposits === true);
    const recipient = draft.depositKey === undefined ? undefined : replaceDepositKey(draft);
    await draft.rekey(providers, options.signal);
    const contributors = draft.deposits.contributors.map(({ id }) => id);
    return { slots: draft.slots.map(factsOf), recipient, contributors, promoted, removed };
  });
}

async function providerThatOpens(
  slot: ClearSlot,
  candidates: readonly AnySlotProvider[],
  context: SlotContext,
): Promise<AnySlotProvider | undefined> {
  for (const provider of candidates) {
    if (!isForMethod(provider, slot.method) || !canUnwrap(provider) || !canWrap(provider)) continue;
    const masterKey = await unwrapMasterKey(provider, decodeToken(slot.wrapped) as Uint8Array, context);
    masterKey?.fill(0);
    if (masterKey !== undefined) return provider;
  }
  return undefined;
}

function take(draft: Draft, slotId: number): SlotFacts {
  const slot = draft.slots.find(({ id }) => id === slotId);
  if (slot === undefined) throw new BundleError("SLOT_NOT_FOUND", `the bundle has no slot ${slotId}`, { slotId });
  if (draft.slots.length === 1) {
    throw new BundleError("LAST_SLOT", `slot ${slotId} is the last one: without it nobody could open the bundle`, {
      slotId,
    });
  }
  draft.slots = draft.slots.filter(({ id }) => id !== slotId);
  draft.changed = true;
  return factsOf(slot);
}

function factsOf({ id, method, label }: ClearSlot): SlotFacts {
  return { id, method, label };
}
