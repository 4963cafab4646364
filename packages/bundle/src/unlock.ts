import type { ClearSlot } from "./clear-part.js";
import type { Container } from "./container.js";
import { BundleError } from "./errors.js";
import { type AnySlotProvider, canUnwrap, unwrapMasterKey } from "./slot.js";
import { decodeToken } from "./token.js";

export interface Unlocked {
  /** 32 bytes; the caller zeroes them. */
  readonly masterKey: Uint8Array;
  readonly slot: ClearSlot;
}

/** True when a provider is for slots listed under `method`; `age-yubikey` is another name for `age`. */
export function isForMethod(provider: AnySlotProvider, method: string): boolean {
  return familyOf(provider.kind) === familyOf(method);
}

/**
 * Tries the slots in stored order, each with every provider of its kind; the first that opens decides.
 * @throws {@link BundleError} `COST_TOO_HIGH`, `AUTHENTICATION`, `WRONG_SECRET`, `SLOT_UNAVAILABLE`, `NO_SLOT_OPENED`.
 */
export async function unlock(
  container: Container,
  providers: readonly AnySlotProvider[],
  signal?: AbortSignal,
): Promise<Unlocked> {
  const tried = new Set<string>();
  let refusal: BundleError | undefined;
  for (const slot of container.clear.slots) {
    for (const provider of providers) {
      if (!canUnwrap(provider) || !isForMethod(provider, slot.method)) continue;
      tried.add(slot.method);
      try {
        const masterKey = await tryClearSlot(container, slot, provider, signal);
        if (masterKey !== undefined) return { masterKey, slot };
      } catch (error) {
        if (!(error instanceof BundleError) || signal?.aborted) throw error;
        // Another slot may still open; what went wrong first is told when none does.
        refusal ??= error;
      }
    }
  }
  if (refusal !== undefined) throw refusal;
  const kinds = [...tried];
  if (kinds.length > 0)
    throw new BundleError("WRONG_SECRET", `the ${kinds.join(" or ")} given opens no slot of the bundle`, { kinds });
  const given = [...new Set(providers.map(({ kind }) => kind))];
  const present = [...new Set(container.clear.slots.map(({ method }) => method))];
  throw new BundleError(
    "NO_SLOT_OPENED",
    `no slot opened: the bundle opens by ${present.join(", ")}, and ${given.length === 0 ? "nothing" : given.join(", ")} was given`,
    { kinds: present },
  );
}

/** The master key of one slot, or nothing when the provider's secret is another. */
export async function tryClearSlot(
  container: Container,
  slot: ClearSlot,
  provider: AnySlotProvider,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  return unwrapMasterKey(provider, decodeToken(slot.wrapped) as Uint8Array, {
    bundleId: decodeToken(container.clear.bundleId) as Uint8Array,
    slotId: slot.id,
    ...(signal && { signal }),
  });
}

function familyOf(kind: string): string {
  return kind === "age-yubikey" ? "age" : kind;
}
