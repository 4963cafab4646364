import { randomBytes } from "node:crypto";
import type { ClearPart, ClearSlot } from "./clear-part.js";
import { type Container, decodeContainer } from "./container.js";
import { BundleError } from "./errors.js";
import { instantOf } from "./host.js";
import { LIMITS } from "./limits.js";
import { requireName } from "./name.js";
import { type PayloadBackend, zeroPayload } from "./payload.js";
import { sealBundle, unsealBundle } from "./seal.js";
import { type AnySlotProvider, canUnwrap, wrapMasterKey } from "./slot.js";
import { decodeToken, encodeToken } from "./token.js";
import { tryClearSlot } from "./unlock.js";

export interface SlotInput {
  readonly provider: AnySlotProvider;
  /** 1 to 128 characters, no control characters; the kind when left out, `break-glass` for `bip39`. */
  readonly label?: string;
}

type ClearDeposits = ClearPart["deposits"];

/** An opened bundle being changed. It holds the master key and the payload in buffers; `dispose` zeroes them. */
export class Draft {
  readonly bundleId: Uint8Array;
  readonly createdAt: string;
  /** The epoch it was opened at; 0 for a new one. */
  readonly epoch: number;
  readonly backends: Map<string, PayloadBackend>;
  slots: ClearSlot[];
  deposits: ClearDeposits;
  depositKey: Uint8Array | undefined;
  /** Set when there is something to write. */
  changed = false;
  #masterKey: Uint8Array;
  readonly #fresh: { slotId: number; provider: AnySlotProvider }[] = [];

  constructor(
    clear: ClearPart,
    payload: { readonly backends: readonly PayloadBackend[]; readonly depositKey: Uint8Array | undefined },
    masterKey: Uint8Array,
  ) {
    this.bundleId = decodeToken(clear.bundleId) as Uint8Array;
    this.createdAt = clear.createdAt;
    this.epoch = clear.epoch;
    this.slots = [...clear.slots];
    this.deposits = structuredClone(clear.deposits);
    this.backends = new Map(payload.backends.map((backend) => [backend.id, backend]));
    this.depositKey = payload.depositKey;
    this.#masterKey = masterKey;
  }

  /** A bundle without slots or backends, under a fresh id and a fresh master key. */
  static empty(now: Date): Draft {
    return new Draft(
      {
        bundleId: encodeToken(randomBytes(16)),
        createdAt: instantOf(now),
        epoch: 0,
        slots: [],
        deposits: { recipient: null, contributors: [], promoted: [] },
      },
      { backends: [], depositKey: undefined },
      new Uint8Array(randomBytes(32)),
    );
  }

  /** Wraps the master key anew under the next free id. @throws {@link BundleError} `LIMIT`, `MALFORMED`, and the provider's. */
  async addSlot({ provider, label }: SlotInput, now: Date, signal?: AbortSignal): Promise<ClearSlot> {
    if (this.slots.length >= LIMITS.slots) {
      throw new BundleError("LIMIT", `a bundle has at most ${LIMITS.slots} slots`, {
        field: "slots",
        limit: LIMITS.slots,
        actual: this.slots.length + 1,
      });
    }
    const id = Math.max(-1, ...this.slots.map((slot) => slot.id)) + 1;
    const name = label ?? (provider.kind === "bip39" ? "break-glass" : provider.kind);
    requireName("label", name);
    const slot: ClearSlot = {
      id,
      method: provider.kind,
      label: name,
      createdAt: instantOf(now),
      parameters: Object.entries(provider.parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
      wrapped: await this.#wrap(provider, id, signal),
    };
    this.slots.push(slot);
    this.#fresh.push({ slotId: id, provider });
    this.changed = true;
    return slot;
  }

  /** Takes a fresh master key and wraps it for every slot by the provider given for it. */
  async rekey(providers: ReadonlyMap<number, AnySlotProvider>, signal?: AbortSignal): Promise<void> {
    this.#masterKey.fill(0);
    this.#masterKey = new Uint8Array(randomBytes(32));
    this.#fresh.length = 0;
    const slots: ClearSlot[] = [];
    // One after the other: each passphrase takes 256 MiB while it is stretched.
    for (const slot of this.slots) {
      const provider = providers.get(slot.id);
      if (provider === undefined) throw new TypeError(`no provider for slot ${slot.id}`);
      this.#fresh.push({ slotId: slot.id, provider });
      slots.push({ ...slot, wrapped: await this.#wrap(provider, slot.id, signal) });
    }
    this.slots = slots;
    this.changed = true;
  }

  /**
   * The bytes of the bundle at `epoch`, opened again before they are returned: the payload with the master key, and every
   * slot made here with the provider that made it.
   * @returns Also the ids of slots whose provider can only wrap, which were not tried.
   */
  async seal(epoch: number, signal?: AbortSignal): Promise<{ bytes: Uint8Array; untried: number[] }> {
    if (this.backends.size > LIMITS.backends) {
      throw new BundleError("LIMIT", `a bundle has at most ${LIMITS.backends} backends`, {
        field: "backends",
        limit: LIMITS.backends,
        actual: this.backends.size,
      });
    }
    const backends = [...this.backends.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const clear = this.clearPart(epoch);
    const bytes = await sealBundle(clear, { backends, depositKey: this.depositKey }, this.#masterKey);
    const container = decodeContainer(bytes);
    zeroPayload(await unsealBundle(container, this.#masterKey));
    return { bytes, untried: await this.#tryFresh(container, signal) };
  }

  /** The clear part as it is now, at `epoch`. */
  clearPart(epoch: number = this.epoch): ClearPart {
    return {
      bundleId: encodeToken(this.bundleId),
      createdAt: this.createdAt,
      epoch,
      slots: this.slots,
      deposits: this.deposits,
    };
  }

  dispose(): void {
    this.#masterKey.fill(0);
    zeroPayload({ backends: [...this.backends.values()], depositKey: this.depositKey });
  }

  async #wrap(provider: AnySlotProvider, slotId: number, signal?: AbortSignal): Promise<string> {
    const context = { bundleId: this.bundleId, slotId, ...(signal && { signal }) };
    return encodeToken(await wrapMasterKey(provider, this.#masterKey, context));
  }

  async #tryFresh(container: Container, signal?: AbortSignal): Promise<number[]> {
    const untried: number[] = [];
    for (const { slotId, provider } of this.#fresh) {
      const slot = container.clear.slots.find(({ id }) => id === slotId);
      if (slot === undefined) continue;
      if (!canUnwrap(provider)) {
        untried.push(slotId);
        continue;
      }
      const again = await this.#openAgain(container, slot, provider, signal);
      if (again === "unavailable") {
        untried.push(slotId);
        continue;
      }
      const same = again !== undefined && Buffer.from(again).equals(this.#masterKey);
      again?.fill(0);
      if (!same) {
        throw new BundleError(
          "WRONG_SECRET",
          `slot ${slotId} (${provider.kind}) does not open again with what it was made with`,
          {
            kinds: [provider.kind],
          },
        );
      }
    }
    return untried;
  }

  /** A slot may be made by somebody who may not open it: another IAM identity, a token elsewhere. */
  async #openAgain(
    container: Container,
    slot: ClearSlot,
    provider: AnySlotProvider,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined | "unavailable"> {
    try {
      return await tryClearSlot(container, slot, provider, signal);
    } catch (error) {
      if (error instanceof BundleError && error.code === "SLOT_UNAVAILABLE") return "unavailable";
      throw error;
    }
  }
}
