export type { AgeSlotOptions } from "./age-slot.js";
export { ageSlot } from "./age-slot.js";
export { bip39Slot, generatePhrase } from "./bip39-slot.js";
export type { ChangeBundleOptions, Changed, NoticeOptions } from "./change-bundle.js";
export type { Rekeyed, RekeyOptions, SlotFacts } from "./change-slots.js";
export { addSlot, rekey, removeSlot } from "./change-slots.js";
export type { CreateBundleOptions, CreatedBundle } from "./create-bundle.js";
export { createBundle } from "./create-bundle.js";
export type { BackendCredential, CredentialInput } from "./credential.js";
export type { ContributorInput } from "./deposits/contributors.js";
export { allowContributor, disallowContributor, ensureDepositKey } from "./deposits/contributors.js";
export type { DepositOptions, DepositTarget, MadeDeposit } from "./deposits/make-deposit.js";
export { deposit, depositTarget, makeDeposit, nextSequence, publicTokenOf } from "./deposits/make-deposit.js";
export type { PromoteOptions, Promotion } from "./deposits/promote.js";
export { dropDeposits, listDeposits, promoteDeposits } from "./deposits/promote.js";
export type { DepositReview, DepositStatus } from "./deposits/review.js";
export { DEPOSIT_STATUSES } from "./deposits/review.js";
export type { SlotInput } from "./draft.js";
export type { AnyBundleError, BundleErrorCode, BundleErrorDetails } from "./errors.js";
export { BUNDLE_ERROR_CODES, BundleError, isBundleError } from "./errors.js";
export type { BundleSummary, InspectBundleOptions } from "./inspect-bundle.js";
export { exportSlot, inspectBundle } from "./inspect-bundle.js";
export type { OpenBundleOptions, OpenedBundle } from "./open-bundle.js";
export { openBundle } from "./open-bundle.js";
export type { PassphraseSlotOptions } from "./passphrase-slot.js";
export { passphraseSlot } from "./passphrase-slot.js";
export type { ReadSecretOptions } from "./secret-file.js";
export { readSecretFile, trimNewline } from "./secret-file.js";
export { removeBackend, setBackend } from "./set-backend.js";
export type { AnySlotProvider, SlotContext, SlotFileProvider, SlotProvider, SlotStanza } from "./slot.js";
export type { BackendSpec, SlotSpec, SlotType } from "./spec.js";
export {
  backendSpecFromFields,
  parseBackendSpec,
  parseOpenSpec,
  parseSlotSpec,
  SLOT_TYPES,
  slotSpecFromFields,
} from "./spec.js";
