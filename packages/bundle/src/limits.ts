/** What the format holds at most; anything over is refused on the way in and on the way out. */
export const LIMITS = {
  /** Bytes of a whole bundle. */
  bundleBytes: 1 << 20,
  slots: 32,
  backends: 256,
  contributors: 256,
  /** Characters of a backend id, a contributor id, a kind or a label. */
  nameLength: 128,
  /** Bytes of one slot's age file. */
  slotBytes: 16 << 10,
  /** Bytes of one credential as JSON. */
  credentialBytes: 64 << 10,
  /** Bytes of one deposit record. */
  depositBytes: 128 << 10,
  /** Deposit records looked at; later ones are `log-too-large`. */
  deposits: 1024,
  /** The last epoch and the last deposit sequence. */
  counter: Number.MAX_SAFE_INTEGER - 1,
} as const;

/** The base-2 logarithm of the scrypt cost written, and the highest accepted: 256 MiB and about half a second. */
export const SCRYPT_LOG_N = 18;
